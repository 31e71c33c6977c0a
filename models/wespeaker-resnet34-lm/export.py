"""Write the manifest of WeSpeaker ResNet34-LM, and what its tests need: graphs with seeded weights and their goldens.

The public files are used as they are: the manifest pins them by bytes and SHA-256, nothing is exported from them here.
The tests run where these files cannot be fetched, so they have a network of pyannote.audio's own class with seeded
weights (`seeded.py`), exported in the two forms that people have: WeSpeaker's, whose pooling adds a constant before the
square root and which subtracts a mean vector at the end, and pyannote's.
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

# Builds of the same weights. The second is known by its hash only: it comes from the user.
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

# In pyannote.audio, written into `compute_fbank`: samples in [-1, 1] become 16-bit integers' range.
SAMPLE_SCALE = 1 << 15

FEATURE_AXES = ("batch", "frame", "mel")
MAP_AXES = ("batch", "channel", "frequency", "frame")
VECTOR_AXES = ("batch", "channel")
# Values inside of the graph are called differently in every build, so they are found by the graph's structure.
STAGES = (
    exporting.Stage("fbank", FEATURE_AXES, None),
    exporting.Stage("conv1", MAP_AXES, None),
    *(exporting.Stage(f"layer{index}", MAP_AXES, None) for index in (1, 2, 3, 4)),
    exporting.Stage("pooling", VECTOR_AXES, None),
    exporting.Stage("embedding", VECTOR_AXES, "embs"),
)

# WeSpeaker's own export.
WESPEAKER_OPSET = 14
WESPEAKER_EPSILON = 1e-8

# Speech of one person from here on, and of two within ten seconds.
START_SECONDS = 9
SAMPLE_RATE = 16000

# Where the goldens' masks are on, as shares of the window: somebody talks at the start, somebody in two stretches,
# somebody for a moment, which is one frame of the map of a second. No two at once, so that they can be given as what
# local speakers say, too. pyannote has 589 frames in ten seconds.
MASKS = (((0.0, 0.3),), ((0.3, 0.5), (0.7, 0.95)), ((0.55, 0.63),))
MASK_FRAMES_PER_SECOND = 58.9

# Every this many-th value of a stage is kept of ten seconds: a prime, so that all channels, frequencies and frames are
# seen. All of them would be 29 MB.
STRIDE = 389

# Float32 sums in another order, through 33 layers, against values of order 1 to 10. A wrong layer is off by 0.1 and more.
BOUND = 1e-3

TOLERANCE = {"max_abs": 0.01, "cosine": 0.9999}
FBANK_TOLERANCE = {"max_abs": 2e-3, "cosine": 0.99999}


class Pyannote(torch.nn.Module):
    """What pyannote.audio's class computes from features, without weights of frames."""

    def __init__(self, model: WeSpeakerResNet34) -> None:
        super().__init__()
        self.resnet = model.resnet

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.resnet(features)[1]


class Wespeaker(torch.nn.Module):
    """The same network as WeSpeaker publishes it: its pooling, and its mean vector subtracted from the embedding."""

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
    """Axes (batch, channel, sample), batch and channel 1, of the sample recording."""
    speech, rate = exporting.sample_speech()
    assert rate == SAMPLE_RATE
    return speech[None, None, round(start_seconds * rate) : round((start_seconds + seconds) * rate)]


@torch.no_grad()
def make_model() -> tuple[WeSpeakerResNet34, torch.Tensor]:
    """The seeded network, and a mean vector: the mean embedding of each second of the recording."""
    model = WeSpeakerResNet34()
    if not torch.equal(model.compute_fbank(sample(5, 1)), reference_features(sample(5, 1))):
        raise exporting.ExportError("pyannote.audio computes other features than the manifest tells")
    seeded.seed_weights(model.resnet, torch.cat([model.compute_fbank(sample(start, 10)) for start in (0, 10, 20)]))
    model.eval()
    seconds = torch.cat([model.compute_fbank(sample(start, 1)) for start in range(5, 30)])
    embeddings = model.resnet(seconds)[1]
    centered = embeddings - embeddings.mean(0)
    print(f"embeddings: std over dimensions {embeddings.std():.2f}, over seconds of speech {centered.std():.2f}")
    return model, embeddings.mean(0)


def reference_features(waveform: torch.Tensor) -> torch.Tensor:
    """Features by the facts that go into the manifest; axes (batch, frame, mel)."""
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
    """Trace `module` as WeSpeaker's export script does: nothing but the ends has a name, batch and frames are dynamic."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # It warns of itself being the older exporter; the public files come from it.
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
    """Write `graph` without its weights, once it is known that it gives what `module` does with those put back."""
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
            raise exporting.ExportError(f"{path.name} gives something else than PyTorch")
    path.write_bytes(skeleton.SerializeToString(deterministic=True))
    print(f"{path.name}: {path.stat().st_size} bytes, {len(graph.SerializeToString())} with its weights")


def masks(seconds: float) -> torch.Tensor:
    """Axes (mask, frame), 0 or 1."""
    frames = int(seconds * MASK_FRAMES_PER_SECOND)
    result = torch.zeros(len(MASKS), frames)
    for mask, stretches in zip(result, MASKS, strict=True):
        for start, end in stretches:
            mask[round(start * frames) : round(end * frames)] = 1
    return result


def stages_of(model: WeSpeakerResNet34, waveform: torch.Tensor) -> Tensors:
    """Every stage for one window, and what the masks make of it."""
    features = model.compute_fbank(waveform)
    # The first activation is a function, which no hook sees; the first block takes what it gives.
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
    """Write what PyTorch gives for one second, whole, and for ten, sampled where it is large."""
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
    """Frames of the stages that have any."""
    hparams = model.hparams
    length, step = (
        exporting.whole(hparams.sample_rate * duration / 1000, "a mel frame")
        for duration in (hparams.frame_length, hparams.frame_shift)
    )
    frames = {"fbank": exporting.Frames((length - 1) / 2, step)}
    frames["conv1"] = latest = frames["fbank"].after(model.resnet.conv1)
    for index in (1, 2, 3, 4):
        # Shortcuts go beside the two convolutions of a block, not after them.
        for block in getattr(model.resnet, f"layer{index}"):
            latest = latest.after(block.conv1, block.conv2)
        frames[f"layer{index}"] = latest
    return frames


def min_samples(model: WeSpeakerResNet34) -> int:
    """The shortest input, as pyannote's pipeline finds it: by trying."""
    wrapper = PyannoteAudioPretrainedSpeakerEmbedding.__new__(PyannoteAudioPretrainedSpeakerEmbedding)
    wrapper.model_, wrapper.device = model, torch.device("cpu")
    with warnings.catch_warnings():
        # The standard deviation of one frame is none.
        warnings.simplefilter("ignore")
        return wrapper.min_num_samples


def manifest_of(model: WeSpeakerResNet34) -> dict[str, Any]:
    """`EmbeddingManifest` without `file`."""
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
        # pyannote embeds whatever a mask leaves, a single frame of the map too.
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
    parser.add_argument("--out", type=Path, default=HERE, help="of the manifest (default: beside the script)")
    fixtures = HERE.parent.parent / "e2e" / "fixtures" / "resnet34"
    parser.add_argument("--fixtures", type=Path, default=fixtures, help="of graphs and goldens")
    arguments = parser.parse_args()
    # Several threads may split a sum in other ways from run to run.
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
