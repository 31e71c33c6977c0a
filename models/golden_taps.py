"""What the layers of any PyTorch module give for some inputs, by forward hooks.

A tap says where a stage is taken: PATH[#CALL][:input][@ITEM]. PATH is a submodule's (`encoder.lstm`; `.` is the whole
model), CALL which of its runs if it runs more than once (1 is the first), `:input` what it takes in place of what it
gives, ITEM one tensor of several (`1.0` of an LSTM is its last hidden state; a key of a dict; else the first tensor).
Hooks see modules, not functions: what a function gives is tapped as the input of the next module.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any, NamedTuple

import torch

Tensors = dict[str, torch.Tensor]
Inputs = Mapping[str, torch.Tensor] | Sequence[torch.Tensor]


class BundleError(Exception):
    """A condition that must stop the bundle; its message says what to do."""


class Tap(NamedTuple):
    """Where a stage is taken from the model."""

    # Of the submodule; empty is the model itself.
    path: str
    # What the submodule gives, or what it takes.
    side: str = "output"
    # Keys into nested tuples, lists and dicts, joined by dots; None is the first tensor.
    item: str | None = None
    # Which run of the submodule, from 1; None only where it runs once.
    call: int | None = None

    @classmethod
    def parse(cls, text: str) -> Tap:
        """Reads PATH[#CALL][:input][@ITEM]."""
        found = re.fullmatch(r"([^#:@]+)(?:#([1-9]\d*))?(?::(input|output))?(?:@(.+))?", text)
        if not found:
            raise BundleError(f"{text!r} is no tap: PATH[#CALL][:input][@ITEM], such as encoder.lstm@1.0")
        path, call, side, item = found.groups()
        return cls("" if path == "." else path, side or "output", item, int(call) if call else None)


class _Event(NamedTuple):
    """One run of a submodule, seen from one side."""

    path: str
    side: str
    call: int
    # By item.
    tensors: Tensors


def capture(
    module: torch.nn.Module, inputs: Inputs, stages: Mapping[str, str | Tap | tuple[str, str]]
) -> Tensors:
    """What each stage gives, in the order in which the model computes them.

    `inputs` by name go to the parameters of `forward` that are called so, a sequence to the first ones. A stage is a
    tap as text, a `Tap`, or (path, "input" or "output"). Nothing of the module or the inputs is changed.
    """
    taps = {name: Tap.parse(tap) if isinstance(tap, str) else Tap(*tap) for name, tap in stages.items()}
    events = _record(module, inputs, {(tap.path, tap.side) for tap in taps.values()})
    found = [(*_select(name, tap, events), name) for name, tap in taps.items()]
    # Sorted by time alone: stages of one event stay in the order that was given.
    return {name: tensor for _, tensor, name in sorted(found, key=lambda entry: entry[0])}


def capture_leaves(module: torch.nn.Module, inputs: Inputs) -> Tensors:
    """What every innermost module gives, named by its path as a tap, and the model's own output as `output`.

    If a module is called `output`, the model's own output is `(output)`. Modules that do not run, or give no tensor, are left out.
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
    """Run the module once and keep what passes at `sides`, each a path and `input` or `output`."""
    training = [path or "the model" for path, submodule in module.named_modules() if submodule.training]
    if training:
        raise BundleError(f"{training[0]} is in training mode, where dropout and batch norm vary: call eval()")
    if isinstance(module, torch.jit.ScriptModule) and any(path for path, _ in sides):
        raise BundleError("hooks see nothing inside TorchScript: tap `.`, or give the module that it was made from")
    events: list[_Event] = []
    calls: dict[tuple[str, str], int] = {}

    def keep(path: str, side: str, value: Any) -> None:
        call = calls[path, side] = calls.get((path, side), 0) + 1
        # Cloned, because a layer that works in place would overwrite what was captured.
        events.append(_Event(path, side, call, {item: x.detach().clone() for item, x in _flatten(value).items()}))

    # Cloned for the same reason: the caller's inputs go into the bundle.
    given = _copied(inputs)
    handles = []
    try:
        for path, side in sorted(sides):
            # The whole model's two sides are at hand, and hooks would not see them on every kind of module.
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
    """Every tensor in nested tuples, lists and dicts, by its keys joined with dots."""
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
    """When the tap's value passed, as an index into `events`, and the value."""
    runs = [(index, event) for index, event in enumerate(events) if (event.path, event.side) == tap[:2]]
    label = f"{name}: {tap.path or 'the model'}"
    if not runs:
        raise BundleError(f"{label} did not run as a module: tap the input of the next one")
    if tap.call is None and len(runs) > 1:
        raise BundleError(f"{label} ran {len(runs)} times: say which, as {tap.path}#1, or tap a neighbor")
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
