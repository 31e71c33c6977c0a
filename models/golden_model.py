"""Load the module and the inputs specified on the command line of golden_bundle.py."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import torch

from golden_taps import BundleError, Inputs, Tensors


def load_module(spec: str) -> torch.nn.Module:
    """Load a module.

    Args:
        spec: package.module:factory, file.py:factory, or a file written by `torch.save` or `torch.jit.save`.

    Raises:
        BundleError: `spec` is invalid, or does not result in a module.
    """
    # Like `python -m`: makes packages in the working directory importable, also for the classes of a saved module.
    sys.path.insert(0, "")
    if Path(spec).is_file():
        return _load_file(Path(spec))
    home, separator, name = spec.rpartition(":")
    if not separator:
        raise BundleError(f"{spec} is no file, and no package.module:factory")
    factory = getattr(_import_file(Path(home)) if home.endswith(".py") else importlib.import_module(home), name, None)
    if not callable(factory):
        raise BundleError(f"{home} has no factory {name}")
    module = factory()
    if not isinstance(module, torch.nn.Module):
        raise BundleError(f"{spec} returns no nn.Module, but {type(module).__name__}")
    return module


def _import_file(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _load_file(path: Path) -> torch.nn.Module:
    try:
        return torch.jit.load(path, map_location="cpu")
    except RuntimeError:
        # Loading a pickle runs code of its author, like importing a factory.
        module = torch.load(path, map_location="cpu", weights_only=False)
    if not isinstance(module, torch.nn.Module):
        raise BundleError(f"{path} contains no module, but {type(module).__name__}: give a factory, and --state {path}")
    return module


def random_input(shape: str, generator: torch.Generator) -> torch.Tensor:
    """Return reproducible random values: normally distributed for `1,80,200`, int64 from 0 to 49 for `1,12:50`."""
    found = re.fullmatch(r"(\d+(?:,\d+)*)(?::(\d+))?", shape)
    if not found:
        raise BundleError(f"{shape!r} is no shape: use 1,80,200 for floats, 1,12:50 for integers below 50")
    sizes = [int(size) for size in found[1].split(",")]
    if found[2] is None:
        return torch.randn(sizes, generator=generator)
    return torch.randint(int(found[2]), sizes, generator=generator)


def arguments_of(module: torch.nn.Module, inputs: Tensors) -> Inputs:
    """Return the inputs by name if `forward` has parameters with all of these names, otherwise by position."""
    parameters = inspect.signature(module.forward).parameters if not isinstance(module, torch.jit.ScriptModule) else ()
    return inputs if all(name in parameters for name in inputs) else tuple(inputs.values())


def read_input(path: Path, module: torch.nn.Module) -> torch.Tensor:
    """Read a `.npy` file. Floats are converted to the dtype of the model, because NumPy writes float64 by default."""
    array = np.load(path, allow_pickle=False)
    tensor = torch.from_numpy(array.astype(array.dtype.newbyteorder("=")))
    own = next((weight.dtype for weight in module.parameters() if weight.is_floating_point()), torch.float32)
    return tensor.to(own) if tensor.is_floating_point() else tensor
