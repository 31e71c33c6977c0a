"""Write the manifest of WeSpeaker ResNet34-LM, and test fixtures: graphs with seeded weights and their golden outputs.

The published files are used unchanged. The manifest pins them by size and SHA-256; this script does not export them.
Tests must run without downloading these files. They use a network of pyannote.audio's class with seeded weights
(`seeded.py`), exported in both common forms: pyannote's, and WeSpeaker's, whose pooling adds a constant before the
square root and which subtracts a mean vector from the embedding.
"""

from __future__ import annotations

import argparse
import inspect
import io
import math
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
import torch.nn.functional as F
from pyannote.audio.models.blocks.pooling import StatsPool
from pyannote.audio.models.embedding.wespeaker import WeSpeakerResNet34
from pyannote.audio.pipelines.speaker_verification import PyannoteAudioPretrainedSpeakerEmbedding
from torchaudio.compliance.kaldi import fbank

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import exporting  # noqa: E402
import seeded  # noqa: E402
from golden_bundle import framework, write_bundle  # noqa: E402
from golden_taps import Tensors, capture  # noqa: E402

ID = "wespeaker-resnet34-lm"
HUB = "Wespeaker/wespeaker-voxceleb-resnet34-LM"
REVISION = "f0c48c298fd835726c27956a5d617bad7115627e"
LICENSE = "CC-BY-4.0"

# Builds of the same weights. The second is a file of the user, identified only by its hash.
SOURCES = (
    {
        "name": "voxceleb_resnet34_LM.onnx",
        "bytes": 26530309,
        "sha256": "7bb2f06e9df17cdf1ef14ee8a15ab08ed28e8d0ef5054ee135741560df2ec068",
        "license": LICENSE,
        "hub": {"repository": HUB, "revision": REVISION, "file": "voxceleb_resnet34_LM.onnx"},
    },
    {
        "name": "wespeaker_en_voxceleb_resnet34_LM.onnx",
        "bytes": 26530550,
        "sha256": "e9848563da86f263117134dfd7ad63c92355b37de492b55e325400c9d9c39012",
        "license": LICENSE,
    },
)

# Scales samples in [-1, 1] to the range of 16-bit integers; hard-coded in `compute_fbank` of pyannote.audio.
SAMPLE_SCALE = 1 << 15

FEATURE_AXES = ("batch", "frame", "mel")
MAP_AXES = ("batch", "channel", "frequency", "frame")
VECTOR_AXES = ("batch", "channel")
# The names of values inside the graph differ between builds. The values are found by the structure of the graph.
STAGES = (
    exporting.Stage("fbank", FEATURE_AXES, None),
    exporting.Stage("conv1", MAP_AXES, None),
    *(exporting.Stage(f"layer{index}", MAP_AXES, None) for index in (1, 2, 3, 4)),
    exporting.Stage("pooling", VECTOR_AXES, None),
    exporting.Stage("embedding", VECTOR_AXES, "embs"),
)

# As in WeSpeaker's own export.
WESPEAKER_OPSET = 14
WESPEAKER_EPSILON = 1e-8

# One speaker is active at this time, and two within the next ten seconds.
START_SECONDS = 9
SAMPLE_RATE = 16000

# Active segments of the golden masks, as fractions of the window: one at the start, two separate segments, and a short
# segment that covers one frame of the feature map for one second of audio. The masks do not overlap, so that they can
# also represent the activity of local speakers. pyannote has 589 frames in ten seconds.
MASKS = (((0.0, 0.3),), ((0.3, 0.5), (0.7, 0.95)), ((0.55, 0.63),))
MASK_FRAMES_PER_SECOND = 58.9

# For ten seconds, only every 389th value of a stage is stored, because all values would be 29 MB. The stride is prime,
# so that all channels, frequencies and frames are covered.
STRIDE = 389

# Float32 differences for another summation order in 33 layers, with values of order 1 to 10. An incorrect layer causes
# differences of 0.1 or more.
BOUND = 1e-3

TOLERANCE = {"max_abs": 0.01, "cosine": 0.9999}
FBANK_TOLERANCE = {"max_abs": 2e-3, "cosine": 0.99999}


class Pyannote(torch.nn.Module):
    """Computes embeddings from features like pyannote.audio's class without frame weights."""

    def __init__(self, model: WeSpeakerResNet34) -> None:
        super().__init__()
        self.resnet = model.resnet

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.resnet(features)[1]


class Wespeaker(torch.nn.Module):
    """The same network in WeSpeaker's published form: with WeSpeaker's pooling and mean vector subtraction."""

    def __init__(self, model: WeSpeakerResNet34, mean_vector: torch.Tensor) -> None:
        super().__init__()
        self.resnet = model.resnet
        self.register_buffer("mean_vec", mean_vector)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        frames = self.resnet.forward_frames(features)
        spread = torch.sqrt(torch.var(frames, dim=-1) + WESPEAKER_EPSILON)
        statistics = torch.cat((frames.mean(dim=-1).flatten(1), spread.flatten(1)), 1)
        return self.resnet.seg_1(statistics) - self.mean_vec


def sample(start_seconds: float, seconds: float) -> torch.Tensor:
    """Return an excerpt of the sample recording with axes (batch, channel, sample); batch and channel are 1."""
    speech, rate = exporting.sample_speech()
    assert rate == SAMPLE_RATE
    return speech[None, None, round(start_seconds * rate) : round((start_seconds + seconds) * rate)]


@torch.no_grad()
def make_model() -> tuple[WeSpeakerResNet34, torch.Tensor]:
    """Return the seeded network and a mean vector: the mean embedding of one-second excerpts of the recording."""
    model = WeSpeakerResNet34()
    if not torch.equal(model.compute_fbank(sample(5, 1)), reference_features(sample(5, 1))):
        raise exporting.ExportError("pyannote.audio computes other features than the manifest describes")
    seeded.seed_weights(model.resnet, torch.cat([model.compute_fbank(sample(start, 10)) for start in (0, 10, 20)]))
    model.eval()
    seconds = torch.cat([model.compute_fbank(sample(start, 1)) for start in range(5, 30)])
    embeddings = model.resnet(seconds)[1]
    centered = embeddings - embeddings.mean(0)
    print(f"embeddings: std over dimensions {embeddings.std():.2f}, over seconds of speech {centered.std():.2f}")
    return model, embeddings.mean(0)


def reference_features(waveform: torch.Tensor) -> torch.Tensor:
    """Return features with the settings in the manifest; axes (batch, frame, mel)."""
    hparams = WeSpeakerResNet34().hparams
    mel = fbank(
        waveform[0] * SAMPLE_SCALE,
        num_mel_bins=hparams.num_mel_bins,
        frame_length=hparams.frame_length,
        frame_shift=hparams.frame_shift,
        dither=hparams.dither,
        window_type=hparams.window_type,
    )
    return (mel - mel.mean(0)).unsqueeze(0)


def export_graph(module: torch.nn.Module, features: torch.Tensor, *, opset: int, names: tuple[str, str]) -> onnx.ModelProto:
    """Trace `module` like WeSpeaker's export script.

    Only the graph input and output have names. The batch size and the number of frames are dynamic.
    """
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # The exporter warns that it is deprecated, but the published files were exported with it.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(),
            (features,),
            buffer,
            dynamo=False,
            opset_version=opset,
            input_names=[names[0]],
            output_names=[names[1]],
            dynamic_axes={names[0]: {0: "B", 1: "T"}, names[1]: {0: "B"}},
        )
    return onnx.load_from_string(buffer.getvalue())


def write_skeleton(path: Path, module: torch.nn.Module, model: WeSpeakerResNet34, graph: onnx.ModelProto) -> None:
    """Write `graph` without its weights, after verifying that the refilled graph matches `module`.

    Args:
        path: Output file.
        module: Module that was exported to `graph`.
        model: Seeded network, which provides the gains of the weights.
        graph: Exported graph with weights.

    Raises:
        ExportError: The outputs of the refilled graph differ from PyTorch by more than `BOUND`.
    """
    skeleton = seeded.skeleton_of(graph, seeded.gains_of(model.resnet))
    session = onnxruntime.InferenceSession(seeded.fill(skeleton).SerializeToString(), providers=["CPUExecutionProvider"])
    (name,) = (entry.name for entry in session.get_inputs())
    for seconds in (1, 3):
        features = model.compute_fbank(sample(START_SECONDS, seconds))
        with torch.inference_mode():
            expected = module(features).numpy()
        difference = float(np.abs(session.run(None, {name: features.numpy()})[0] - expected).max())
        print(f"{path.name}: {seconds} s differs from PyTorch by {difference:.1e}")
        if not difference <= BOUND:
            raise exporting.ExportError(f"{path.name} differs from PyTorch by more than the bound")
    path.write_bytes(skeleton.SerializeToString(deterministic=True))
    print(f"{path.name}: {path.stat().st_size} bytes, {len(graph.SerializeToString())} with its weights")


def masks(seconds: float) -> torch.Tensor:
    """Return masks of 0 and 1 with axes (mask, frame)."""
    frames = int(seconds * MASK_FRAMES_PER_SECOND)
    result = torch.zeros(len(MASKS), frames)
    for mask, stretches in zip(result, MASKS, strict=True):
        for start, end in stretches:
            mask[round(start * frames) : round(end * frames)] = 1
    return result


def stages_of(model: WeSpeakerResNet34, waveform: torch.Tensor) -> Tensors:
    """Return all stages for one window, and the pooling and embedding with each mask."""
    features = model.compute_fbank(waveform)
    # The first activation is a function without hooks: its output is the input of the first block.
    taps = {"conv1": "layer1:input", **{f"layer{index}": f"layer{index}" for index in (1, 2, 3, 4)}, "pooling": "pool"}
    stages = {"fbank": features} | capture(model.resnet, [features], taps)
    weights = masks(waveform.shape[-1] / SAMPLE_RATE)
    with torch.inference_mode():
        stages["embedding"] = model(waveform)
        # pyannote runs the whole network once per mask.
        repeated = waveform.expand(len(weights), -1, -1)
        stages["masked_embedding"] = model(repeated, weights=weights)
        stages["masked_pooling"] = model.resnet.pool(stages["layer4"], weights=weights[None])[0]
    for name, values in stages.items():
        print(f"  {name:<18} {str(tuple(values.shape)):<20} std {values.std():.3f}, zeros {(values == 0).float().mean():.2f}")
    return stages


def write_goldens(out: Path, model: WeSpeakerResNet34) -> None:
    """Write the golden outputs of PyTorch: complete for one second, with large stages subsampled for ten seconds."""
    for name, seconds, stride in (("one_second", 1, 1), ("ten_seconds", 10, STRIDE)):
        print(f"{name}:")
        waveform = sample(START_SECONDS, seconds)
        stages = stages_of(model, waveform)
        axes: dict[str, tuple[str, ...]] = {"masks": ("mask", "frame"), **{stage.name: stage.axes for stage in STAGES}}
        axes |= {"masked_pooling": ("mask", "channel"), "masked_embedding": ("mask", "channel")}
        for stage in (*(stage.name for stage in STAGES[:-2]),) if stride > 1 else ():
            stages[stage] = stages[stage].flatten()[::stride]
            axes[stage] = ("value",)
        path = out / f"{name}.zip"
        write_bundle(
            path,
            model=ID,
            inputs={"masks": masks(seconds)},
            stages=stages,
            source={
                "framework": framework(),
                "weights": "seeded",
                "recording": "public/sample.wav",
                "start_seconds": START_SECONDS,
                "seconds": seconds,
                "stride": stride,
                "script": f"models/{ID}/export.py",
            },
            axes=axes,
            tolerance=TOLERANCE,
            stage_tolerances={"fbank": FBANK_TOLERANCE},
        )
        print(f"{path.name}: {path.stat().st_size} bytes")


def stage_frames(model: WeSpeakerResNet34) -> dict[str, exporting.Frames]:
    """Return the frames of all stages with a frame axis."""
    hparams = model.hparams
    length, step = (
        exporting.whole(hparams.sample_rate * duration / 1000, "a mel frame")
        for duration in (hparams.frame_length, hparams.frame_shift)
    )
    frames = {"fbank": exporting.Frames((length - 1) / 2, step)}
    frames["conv1"] = latest = frames["fbank"].after(model.resnet.conv1)
    for index in (1, 2, 3, 4):
        # Shortcut convolutions are parallel to the two convolutions of a block.
        for block in getattr(model.resnet, f"layer{index}"):
            latest = latest.after(block.conv1, block.conv2)
        frames[f"layer{index}"] = latest
    return frames


def min_samples(model: WeSpeakerResNet34) -> int:
    """Return the minimum number of samples, found by trial like in pyannote's pipeline."""
    wrapper = PyannoteAudioPretrainedSpeakerEmbedding.__new__(PyannoteAudioPretrainedSpeakerEmbedding)
    wrapper.model_, wrapper.device = model, torch.device("cpu")
    with warnings.catch_warnings():
        # PyTorch warns because the standard deviation of a single frame is undefined.
        warnings.simplefilter("ignore")
        return wrapper.min_num_samples


def manifest_of(model: WeSpeakerResNet34) -> dict[str, Any]:
    """Return the `EmbeddingManifest` without `file`."""
    hparams = model.hparams
    size, mel_bins = model.dimension, hparams.num_mel_bins
    return {
        "id": ID,
        "task": "embedding",
        "license": LICENSE,
        "attribution": "WeSpeaker ResNet34-LM, trained on VoxCeleb; the WeSpeaker community",
        "origin": {
            "package": f"{HUB}@{REVISION}",
            "path": SOURCES[0]["name"],
            "sha256": SOURCES[0]["sha256"],
            "url": f"https://huggingface.co/{HUB}",
        },
        "sources": list(SOURCES),
        "sampleRate": hparams.sample_rate,
        "embeddingSize": size,
        "fbank": {
            "numMelBins": mel_bins,
            "frameLengthMs": hparams.frame_length,
            "frameShiftMs": hparams.frame_shift,
            "windowType": hparams.window_type,
            "preemphasis": _default(fbank, "preemphasis_coefficient"),
            "removeDcOffset": _default(fbank, "remove_dc_offset"),
            "snipEdges": hparams.snip_edges,
            "lowFrequencyHz": _default(fbank, "low_freq"),
            "highFrequencyHz": _default(fbank, "high_freq"),
            "dither": hparams.dither,
            "sampleScale": SAMPLE_SCALE,
            "subtractMean": hparams.fbank_centering_span is None,
        },
        "pooling": "statistics",
        # pyannote embeds any masked input, even a single frame of the feature map.
        "minFrames": 1,
        "minSamples": min_samples(model),
        "input": {"name": "feats", "dtype": "float32", "axes": list(FEATURE_AXES), "shape": [None, None, mel_bins]},
        "output": {"name": "embs", "dtype": "float32", "axes": list(VECTOR_AXES), "shape": [None, size]},
        "stages": exporting.stage_facts(STAGES, stage_frames(model)),
    }


def _default(function: Any, parameter: str) -> Any:
    return inspect.signature(function).parameters[parameter].default


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=HERE, help="folder of the manifest (default: the script's folder)")
    fixtures = HERE.parent.parent / "e2e" / "fixtures" / "resnet34"
    parser.add_argument("--fixtures", type=Path, default=fixtures, help="folder of graphs and golden outputs")
    arguments = parser.parse_args()
    # Several threads could split sums differently in each run.
    torch.set_num_threads(1)
    model, mean_vector = make_model()
    example = model.compute_fbank(sample(START_SECONDS, 2)).repeat(2, 1, 1)
    arguments.fixtures.mkdir(parents=True, exist_ok=True)
    for name, module, opset, names in (
        ("wespeaker", Wespeaker(model, mean_vector), WESPEAKER_OPSET, ("feats", "embs")),
        ("pyannote", Pyannote(model), exporting.OPSET, ("features", "embedding")),
    ):
        graph = export_graph(module, example, opset=opset, names=names)
        write_skeleton(arguments.fixtures / f"{name}.onnx", module, model, graph)
    write_goldens(arguments.fixtures, model)
    file = {key: SOURCES[0][key] for key in ("name", "bytes", "sha256")}
    exporting.write_manifest(arguments.out, manifest_of(model), file)


if __name__ == "__main__":
    exporting.run(main)
