"""Capture the inputs and outputs of the layers of any PyTorch module with forward hooks.

A tap, PATH[#CALL][:input][@ITEM], specifies the position of a stage in the module:

- PATH: the path of the submodule, such as `encoder.lstm`; `.` is the whole model.
- CALL: the number of the call, starting at 1; required if the submodule is called several times.
- `:input`: captures the input instead of the output.
- ITEM: selects one of several tensors by index or key, such as `1.0` for the last hidden state of an LSTM; by default
  the first tensor.

Hooks work on modules, not on functions. To capture the output of a function, tap the input of the next module.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any, NamedTuple

import torch

Tensors = dict[str, torch.Tensor]
Inputs = Mapping[str, torch.Tensor] | Sequence[torch.Tensor]


class BundleError(Exception):
    """The bundle cannot be written. The message contains the remedy."""


class Tap(NamedTuple):
    """Position of a stage in the model."""

    # Path of the submodule; empty for the model itself.
    path: str
    # "output" or "input" of the submodule.
    side: str = "output"
    # Keys into nested tuples, lists and dicts, joined with dots; None selects the first tensor.
    item: str | None = None
    # Number of the call, starting at 1; None is only valid if the submodule is called once.
    call: int | None = None

    @classmethod
    def parse(cls, text: str) -> Tap:
        """Parse PATH[#CALL][:input][@ITEM]."""
        found = re.fullmatch(r"([^#:@]+)(?:#([1-9]\d*))?(?::(input|output))?(?:@(.+))?", text)
        if not found:
            raise BundleError(f"{text!r} is no tap: PATH[#CALL][:input][@ITEM], such as encoder.lstm@1.0")
        path, call, side, item = found.groups()
        return cls("" if path == "." else path, side or "output", item, int(call) if call else None)


class _Event(NamedTuple):
    """Inputs or outputs of one call of a submodule."""

    path: str
    side: str
    call: int
    # Tensors by item.
    tensors: Tensors


def capture(
    module: torch.nn.Module, inputs: Inputs, stages: Mapping[str, str | Tap | tuple[str, str]]
) -> Tensors:
    """Run the module and capture its stages. Neither the module nor the inputs are changed.

    Args:
        module: Module in evaluation mode.
        inputs: Arguments of `forward`, by name or as a sequence.
        stages: By stage name, a tap as text, a `Tap`, or (path, "input" or "output").

    Returns:
        The captured tensors by stage name, in the order of computation.

    Raises:
        BundleError: A tap is invalid or captures no tensor, or the module is in training mode.
    """
    taps = {name: Tap.parse(tap) if isinstance(tap, str) else Tap(*tap) for name, tap in stages.items()}
    events = _record(module, inputs, {(tap.path, tap.side) for tap in taps.values()})
    found = [(*_select(name, tap, events), name) for name, tap in taps.items()]
    # Sorted by time only: stages of one event keep the order of `stages`.
    return {name: tensor for _, tensor, name in sorted(found, key=lambda entry: entry[0])}


def capture_leaves(module: torch.nn.Module, inputs: Inputs) -> Tensors:
    """Run the module and capture the outputs of all innermost modules and of the model.

    Args:
        module: Module in evaluation mode.
        inputs: Arguments of `forward`, by name or as a sequence.

    Returns:
        The outputs in the order of computation, named like their taps. The output of the model is named `output`, or
        `(output)` if a submodule has that name. Modules that are not called or return no tensor are missing.
    """
    leaves = {(path, "output") for path, leaf in module.named_modules() if path and not any(leaf.children())}
    own = "(output)" if ("output", "output") in leaves else "output"
    named: Tensors = {}
    for event in _record(module, inputs, leaves | {("", "output")}):
        label = (event.path or own) + (f"#{event.call}" if event.call > 1 else "")
        for index, (item, tensor) in enumerate(event.tensors.items()):
            named[label if index == 0 else f"{label}@{item}"] = tensor
    return named


def _record(module: torch.nn.Module, inputs: Inputs, sides: Set[tuple[str, str]]) -> list[_Event]:
    """Run the module once and record the tensors at `sides`, which are pairs of a path and `input` or `output`."""
    training = [path or "the model" for path, submodule in module.named_modules() if submodule.training]
    if training:
        raise BundleError(f"{training[0]} is in training mode, where dropout and batch norm vary: call eval()")
    if isinstance(module, torch.jit.ScriptModule) and any(path for path, _ in sides):
        raise BundleError("hooks see nothing inside TorchScript: tap `.`, or use the original module")
    events: list[_Event] = []
    calls: dict[tuple[str, str], int] = {}

    def keep(path: str, side: str, value: Any) -> None:
        call = calls[path, side] = calls.get((path, side), 0) + 1
        # Cloned, because in-place layers would overwrite captured tensors.
        events.append(_Event(path, side, call, {item: x.detach().clone() for item, x in _flatten(value).items()}))

    # Cloned for the same reason: the bundle contains the caller's inputs.
    given = _copied(inputs)
    handles = []
    try:
        for path, side in sorted(sides):
            # The input and output of the model need no hooks, which not every kind of module supports.
            if path:
                handles.append(_hook(_submodule(module, path), path, side, keep))
        args, kwargs = ((), given) if isinstance(given, dict) else (given, {})
        if ("", "input") in sides:
            keep("", "input", given)
        with torch.no_grad():
            output = module(*args, **kwargs)
        keep("", "output", output)
    finally:
        for handle in handles:
            handle.remove()
    return events


def _copied(inputs: Inputs) -> Tensors | tuple[torch.Tensor, ...]:
    if isinstance(inputs, Mapping):
        return {name: tensor.clone() for name, tensor in inputs.items()}
    return tuple(tensor.clone() for tensor in inputs)


def _hook(submodule: torch.nn.Module, path: str, side: str, keep: Callable[[str, str, Any], None]) -> Any:
    if side == "input":
        return submodule.register_forward_pre_hook(
            lambda _module, args, kwargs: keep(path, side, dict(enumerate(args)) | kwargs), with_kwargs=True
        )
    return submodule.register_forward_hook(lambda _module, _args, output: keep(path, side, output))


def _submodule(module: torch.nn.Module, path: str) -> torch.nn.Module:
    try:
        return module.get_submodule(path)
    except AttributeError:
        parent = path.rpartition(".")[0]
        near = [name for name, _ in module.named_modules() if name and name.rpartition(".")[0] == parent]
        raise BundleError(f"the model has no {path}" + (f", but {', '.join(near)}" if near else "")) from None


def _flatten(value: Any, prefix: str = "") -> Tensors:
    """Return all tensors in nested tuples, lists and dicts, by their keys joined with dots."""
    if isinstance(value, torch.Tensor):
        return {prefix: value}
    if isinstance(value, (tuple, list)):
        value = dict(enumerate(value))
    elif not isinstance(value, Mapping):
        return {}
    flat: Tensors = {}
    for key, entry in value.items():
        flat |= _flatten(entry, f"{prefix}.{key}" if prefix else str(key))
    return flat


def _select(name: str, tap: Tap, events: Sequence[_Event]) -> tuple[int, torch.Tensor]:
    """Return the index of the tap's event in `events`, and the captured tensor."""
    runs = [(index, event) for index, event in enumerate(events) if (event.path, event.side) == tap[:2]]
    label = f"{name}: {tap.path or 'the model'}"
    if not runs:
        raise BundleError(f"{label} did not run as a module: tap the input of the next module")
    if tap.call is None and len(runs) > 1:
        raise BundleError(f"{label} ran {len(runs)} times: select one, such as {tap.path}#1, or tap an adjacent module")
    if tap.call is not None and tap.call > len(runs):
        raise BundleError(f"{label} ran {len(runs)} times, not {tap.call}")
    index, event = runs[(tap.call or 1) - 1]
    if not event.tensors:
        raise BundleError(f"{label} has no tensor in its {tap.side}")
    item = next(iter(event.tensors)) if tap.item is None else tap.item
    if item not in event.tensors:
        there = ", ".join(event.tensors) or "one tensor"
        raise BundleError(f"{label} has no item {item} in its {tap.side}, but {there}")
    return index, event.tensors[item]
