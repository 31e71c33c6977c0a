"""Write a golden bundle of any PyTorch module: its inputs and the outputs of its layers, as a reference for a port.

As a library, with any `nn.Module` in evaluation mode:

    stages = capture(model, {"x": x}, {"conv": "encoder.conv", "gate": "decoder.linear:input", "logits": "."})
    write_bundle("net.zip", model="net", inputs={"x": x}, stages=stages, axes={"logits": ("batch", "class")})

As a command, with a function or class that returns the module as the factory:

    python golden_bundle.py package.module:factory --random x=1,80,200 --stage lstm=encoder.lstm --out net.zip

Requires torch, numpy, and two files in the same folder: golden_model.py and golden_taps.py, which describes taps.
docs/golden-bundle.md describes the format.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import re
import sys
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from golden_model import arguments_of, load_module, random_input, read_input
from golden_taps import BundleError, Tensors, capture, capture_leaves

# Default tolerance for a port. The relative tolerance depends on the dtype of the values.
TOLERANCE = {"cosine": 0.999}

# The comparison page rejects larger bundles.
MAX_BYTES = 256 * 1024 * 1024


def write_bundle(
    path: Path | str,
    *,
    model: str,
    inputs: Mapping[str, torch.Tensor],
    stages: Mapping[str, torch.Tensor],
    source: Mapping[str, Any] | None = None,
    axes: Mapping[str, Sequence[str]] | None = None,
    tolerance: Mapping[str, float] = TOLERANCE,
    stage_tolerances: Mapping[str, Mapping[str, float]] | None = None,
    values: Mapping[str, str] | None = None,
    allow_non_finite: bool = False,
) -> dict[str, int]:
    """Write a golden bundle as a zip file.

    Values keep their dtype (float16, float32, float64, bool or integer). bfloat16 and 8-bit floats are written as
    float32. Equal arguments produce identical bytes.

    Args:
        path: Output file.
        model: Name of the model.
        inputs: Inputs by name.
        stages: Stages by name, in the order of computation.
        source: Origin of the values, written unchanged; by default the framework.
        axes: Axis names by name of the input or stage; by default axis0, axis1, …
        tolerance: Tolerance of the bundle.
        stage_tolerances: Tolerances that differ from `tolerance`, by stage name.
        values: Names of values in the ONNX graph that differ from the stage name, by stage name.
        allow_non_finite: Accept NaN and infinity.

    Returns:
        The uncompressed size in bytes of each file in the bundle.

    Raises:
        BundleError: The arguments are inconsistent, a tensor cannot be stored, or the bundle is too large.
    """
    axes, stage_tolerances, values = dict(axes or {}), dict(stage_tolerances or {}), dict(values or {})
    for what, given, known in (
        ("axes", axes, [*inputs, *stages]),
        ("a tolerance", stage_tolerances, stages),
        ("a value", values, stages),
    ):
        unknown = [name for name in given if name not in known]
        if unknown:
            raise BundleError(f"{what} given for {', '.join(unknown)}, but there are only {', '.join(known)}")
    files: dict[str, bytes] = {}

    def entry(folder: str, name: str, tensor: torch.Tensor) -> dict[str, Any]:
        names = list(axes.get(name, [f"axis{index}" for index in range(tensor.dim())]))
        if tensor.dim() != len(names):
            raise BundleError(
                f"{name} has the rank {tensor.dim()} and the shape {tuple(tensor.shape)}, "
                f"but its axes are {', '.join(names)}: specify a name for each axis, {tensor.dim()} in all"
            )
        file = _file_name(folder, name, files)
        files[file] = _npy(_array(name, tensor, allow_non_finite))
        return {"name": name, "file": file, "axes": names}

    def stage_entry(name: str, tensor: torch.Tensor) -> dict[str, Any]:
        value = {"value": values[name]} if name in values else {}
        own = {"tolerance": dict(stage_tolerances[name])} if name in stage_tolerances else {}
        return entry("stages", name, tensor) | value | own

    manifest = {
        "format": "golden-bundle",
        "version": 1,
        "model": model,
        "source": dict(source or {"framework": framework()}),
        "inputs": [entry("inputs", name, tensor) for name, tensor in inputs.items()],
        "stages": [stage_entry(name, tensor) for name, tensor in stages.items()],
        "tolerance": dict(tolerance),
    }
    total = sum(map(len, files.values()))
    if total > MAX_BYTES:
        raise BundleError(f"{total} bytes are more than the limit of {MAX_BYTES}: use shorter inputs or fewer stages")
    # The manifest comes first, because it describes the other files.
    files = {"manifest.json": (json.dumps(manifest, indent=1) + "\n").encode(), **files}
    _write_zip(Path(path), files)
    return {name: len(content) for name, content in files.items()}


def framework() -> str:
    """Return PyTorch's name and version without the build suffix (+cpu, +cu128), which does not affect the values."""
    return f"pytorch {torch.__version__.split('+')[0]}"


def _file_name(folder: str, name: str, taken: Iterable[str]) -> str:
    """Return a unique file name that is valid on all file systems, so that the bundle can be unpacked."""
    stem = re.sub(r"[^A-Za-z0-9_.-]", "_", name)
    lowered = {file.lower() for file in taken}
    file, number = f"{folder}/{stem}.npy", 1
    while file.lower() in lowered:
        number += 1
        file = f"{folder}/{stem}_{number}.npy"
    return file


# Dtypes that NumPy lacks. They are written as float32, which represents all of their values exactly.
WIDENED = {
    getattr(torch, name)
    for name in ("bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz")
    if hasattr(torch, name)
}


def _array(name: str, tensor: torch.Tensor, allow_non_finite: bool) -> np.ndarray:
    """Return the values in their dtype. Axes can have length 0."""
    if tensor.is_complex():
        raise BundleError(f"{name} is complex, not real: split it into two stages with torch.view_as_real")
    if tensor.is_quantized or tensor.layout != torch.strided:
        kind = "quantized" if tensor.is_quantized else tensor.layout
        raise BundleError(f"{name} is {kind}, not a plain tensor: use its dequantize() or to_dense()")
    exact = tensor.detach().cpu()
    if exact.dtype in WIDENED:
        exact = exact.to(torch.float32)
    array = exact.numpy()
    if not allow_non_finite and not np.isfinite(array).all():
        raise BundleError(f"{name} is not finite: it contains NaN or infinity; use --allow-non-finite to accept them")
    return array


def _npy(array: np.ndarray) -> bytes:
    """Return the contents of a `.npy` file in C order, little-endian."""
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C"))
    return buffer.getvalue()


def _write_zip(path: Path, files: Mapping[str, bytes]) -> None:
    """Write a zip file without dates or data of the machine, so that equal contents produce identical bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in files.items():
            # The earliest time that zip supports.
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            # Unix, regardless of the operating system.
            info.create_system = 3
            info.external_attr = 0o644 << 16
            archive.writestr(info, content, compresslevel=9)


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    if not (name and value):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def _tolerance(text: str) -> dict[str, float]:
    """Parse MAX_ABS[,COSINE[,ARGMAX_AGREEMENT]]. Empty fields keep the tolerance of the bundle."""
    names = ("max_abs", "cosine", "argmax_agreement")
    return {name: float(bound) for name, bound in zip(names, text.split(",")) if bound}


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("factory", help="package.module:factory, file.py:factory, a TorchScript file or a saved module")
    parser.add_argument("--state", type=Path, help="state dict to load into the module")
    # Both options append to one list, because the order of the inputs is the order of the arguments of `forward`.
    for flag, metavar, text in (
        ("--input", "NAME=FILE.npy", "input of the model, read from a file"),
        ("--random", "NAME=SHAPE", "random input: normally distributed (1,80,200) or integers in [0, N) (1,12:N)"),
    ):
        parser.add_argument(
            flag,
            dest="inputs",
            type=lambda text, flag=flag: (flag, *_pair(text)),
            action="append",
            default=[],
            metavar=metavar,
            help=text,
        )
    parser.add_argument("--seed", type=int, default=0, help="seed of --random and of the factory (default: 0)")
    for flag, metavar, text in (
        ("--stage", "NAME=TAP", "stage to capture: PATH[#CALL][:input][@ITEM]"),
        ("--axes", "NAME=AXES", "axis names of an input or stage, such as batch,channel,frame"),
        ("--value", "NAME=VALUE", "name of a stage's value in the ONNX graph"),
        ("--tolerance", "NAME=MAX_ABS[,COSINE[,ARGMAX]]", "tolerance of a stage, if it differs from the bundle's"),
    ):
        parser.add_argument(flag, type=_pair, action="append", default=[], metavar=metavar, help=text)
    parser.add_argument("--all-leaves", action="store_true", help="capture every innermost module, named by its path")
    parser.add_argument("--max-abs", type=float, help="maximum absolute difference (default: none)")
    parser.add_argument(
        "--cosine", type=float, default=TOLERANCE["cosine"], help="minimum cosine similarity (default: %(default)s)"
    )
    parser.add_argument("--allow-non-finite", action="store_true", help="accept NaN and infinity")
    parser.add_argument("--model", help="name of the model (default: name of the factory)")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.zip")
    return parser.parse_args()


def main() -> None:
    arguments = _parse_arguments()
    # Several threads could split sums differently in each run.
    torch.set_num_threads(1)
    # For factories that initialize weights at random.
    torch.manual_seed(arguments.seed)
    module = load_module(arguments.factory)
    if arguments.state:
        module.load_state_dict(torch.load(arguments.state, map_location="cpu", weights_only=True))
    module.eval()
    generator = torch.Generator().manual_seed(arguments.seed)
    inputs = {
        name: read_input(Path(text), module) if flag == "--input" else random_input(text, generator)
        for flag, name, text in arguments.inputs
    }
    given = arguments_of(module, inputs)
    taps = dict(arguments.stage)
    if bool(taps) == arguments.all_leaves:
        raise BundleError("say which stages: --stage NAME=TAP for each, or else --all-leaves")

    def stages() -> Tensors:
        return capture_leaves(module, given) if arguments.all_leaves else capture(module, given, taps)

    captured = stages()
    # Rejects nondeterministic stages, caused by dropout as a function, noise or uninitialized buffers, for example.
    for name, again in stages().items():
        if not _same(again, captured[name]):
            raise BundleError(f"{name} differs between two runs on the same inputs: remove the randomness")
    sizes = write_bundle(
        arguments.out,
        model=arguments.model or Path(arguments.factory.rpartition(":")[2]).stem,
        inputs=inputs,
        stages=captured,
        source=_source(arguments),
        axes={name: axes.split(",") for name, axes in arguments.axes},
        tolerance={
            **({} if arguments.max_abs is None else {"max_abs": arguments.max_abs}),
            "cosine": arguments.cosine,
        },
        stage_tolerances={name: _tolerance(text) for name, text in arguments.tolerance},
        values=dict(arguments.value),
        allow_non_finite=arguments.allow_non_finite,
    )
    print(f"{arguments.out}: {arguments.out.stat().st_size} bytes")
    for name, size in sizes.items():
        print(f"  {name:<40} {size:>10} bytes")


def _same(left: torch.Tensor, right: torch.Tensor) -> bool:
    """Return whether two tensors have equal values. NaN equals NaN."""
    if left.is_floating_point() or left.is_complex():
        left, right = left.nan_to_num(), right.nan_to_num()
    return torch.equal(left, right)


def _source(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the origin of the values. File names have no folders, which depend on the machine."""
    source = {"framework": framework(), "factory": Path(arguments.factory).name}
    checkpoint = arguments.state or Path(arguments.factory)
    if checkpoint.is_file():
        source["checkpoint_sha256"] = hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    return source | {"seed": arguments.seed, "script": Path(__file__).name}


if __name__ == "__main__":
    try:
        main()
    except BundleError as error:
        sys.exit(f"no bundle written: {error}")
