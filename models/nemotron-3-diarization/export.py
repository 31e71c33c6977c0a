"""Write the graph of Nemotron 3 Diarization without weights, and its manifest.

The graph is written node by node from the sizes of the reference class, not traced, so that each tensor of the
checkpoint is an initializer of the same name, shape and type. The initializers are external data at the location
`model.safetensors` without offsets: they are bound by name. The graph has three parts, which share no values:

* `features` to `stacked`: stacks the frames of the filterbank and projects them to encoder frames.
* `embeds` and `valid` to `logits`: encoder and head for a sequence of encoder frames, padding at its end included.
* `silence`: the embedding for reserved slots of the speaker cache, copied from the weights.

Before it writes, the script fills the graph with the weights of `seeded.py` and compares every stage with the class.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from transformers import Nemotron3DiarizationConfig, Nemotron3DiarizationForAudioFrameClassification
from transformers.models.nemotron3_diarization.processing_nemotron3_diarization import DEFAULT_STREAMING_MODES
from transformers.models.nemotron_asr_streaming.feature_extraction_nemotron_asr_streaming import (
    LOG_ZERO_GUARD_VALUE,
    NemotronAsrStreamingFeatureExtractor,
)

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import exporting  # noqa: E402
from seeded import seeded_model  # noqa: E402
from streaming import streaming_facts  # noqa: E402

# The official file: size and hash as other projects pin them.
REPOSITORY = "nvidia/Nemotron-3-Diarization"
REVISION = "f667ed73aee57d40cc39428eb768b4fd87a0a29e"
WEIGHTS = {
    "name": "model.safetensors",
    "bytes": 396_954_592,
    "sha256": "c074d86335b3b794f8fa5edc25594558f128bdb3914d27806a3a5a2e44963cb6",
}
LICENSE = "OpenMDW-1.1"

# Added to the scores of padding: exp() of it is 0 in float32, and float16 can hold it.
MASKED_SCORE = -30000.0

# Layers whose outputs are stages, counted from 1.
STAGE_LAYERS = (1, 8, 16, 24, 31)

# Sequence lengths of the comparison: one frame, a first chunk and a full step of every mode, and lengths between.
PARITY_LENGTHS = (1, 2, 13, 60, 541, 684)
# Padding at the end of these sequences.
PARITY_PADDING = {13: 1, 60: 7}
# 31 layers of float32 sums in another order change activations of order 1 by about 1e-5 at most. Logits have a spread
# of about 2. A wrong rotation, mask or order of the upsampler changes them by 0.1 or more.
BOUND = 1e-4


def config_of() -> tuple[Nemotron3DiarizationConfig, NemotronAsrStreamingFeatureExtractor]:
    """Return the configurations of the model and of its front end."""
    config = Nemotron3DiarizationConfig()
    return config, NemotronAsrStreamingFeatureExtractor(feature_size=config.audio_config.num_mel_bins)


def max_frames(config: Nemotron3DiarizationConfig) -> int:
    """Return the greatest number of encoder frames in one step of any mode: cache, FIFO, chunk and look-ahead."""
    streaming = config.streaming_config
    offline = config.fifo_length + config.chunk_left_context + config.chunk_length + config.chunk_right_context
    online = streaming.fifo_length + max(map(sum, DEFAULT_STREAMING_MODES.values()))
    return streaming.speaker_cache_length + max(offline, online)


class Builder:
    """Collects nodes and initializers of a graph."""

    def __init__(self, state: dict[str, torch.Tensor]) -> None:
        self.state = state
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self.used: set[str] = set()

    def weight(self, name: str) -> str:
        """Declare the tensor `name` of the checkpoint as an initializer without data."""
        tensor = self.state[name]
        assert tensor.dtype == torch.float32 and name not in self.used
        self.used.add(name)
        proto = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=tuple(tensor.shape))
        proto.data_location = TensorProto.EXTERNAL
        proto.external_data.add(key="location", value=WEIGHTS["name"])
        self.initializers.append(proto)
        return name

    def constant(self, name: str, value: Any, dtype: type = np.int64) -> str:
        if all(tensor.name != name for tensor in self.initializers):
            self.initializers.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def node(self, op: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(op, inputs, [output], output, **attributes))
        return output

    def linear(self, prefix: str, x: str, output: str, *, bias: bool = True) -> str:
        """Apply a `torch.nn.Linear` to `x`, axes (frame, channel). Its weight has axes (output, input)."""
        names = [self.weight(f"{prefix}.weight"), *([self.weight(f"{prefix}.bias")] if bias else [])]
        return self.node("Gemm", [x, *names], output, transB=1)

    def norm(self, prefix: str, module: torch.nn.LayerNorm, x: str, output: str) -> str:
        names = [self.weight(f"{prefix}.weight"), self.weight(f"{prefix}.bias")]
        return self.node("LayerNormalization", [x, *names], output, axis=-1, epsilon=module.eps)


def add_stacking(b: Builder, config: Nemotron3DiarizationConfig) -> None:
    audio = config.audio_config
    b.constant("stacking.shape", [-1, audio.subsampling_factor * audio.num_mel_bins])
    b.node("Reshape", ["features", "stacking.shape"], "stacking.groups")
    b.linear("model.audio_tower.embedder.projection", "stacking.groups", "stacked", bias=False)


def add_rotation(b: Builder, model: torch.nn.Module, num_frames: int) -> None:
    """Add tables of the rotary embedding, as the class computes them, for the frames of `embeds`.

    Tables, because WebGPU does not limit the error of sines of large angles. Their values for the two halves of a head
    are equal, so only one half is stored. The sign of the class's `rotate_half` is in the sines.
    """
    rotary = model.model.audio_tower.rotary_emb
    cos, sin = rotary(torch.zeros(1), torch.arange(num_frames)[None])
    half = cos.shape[-1] // 2
    assert torch.equal(cos[..., :half], cos[..., half:]) and torch.equal(sin[..., :half], sin[..., half:])
    # Axes (frame, 1, half of the channels of a head): equal in all heads.
    b.constant("rotation.cos_table", cos[0, :, None, :half].numpy(), np.float32)
    b.constant("rotation.sin_table", sin[0, :, None, :half].numpy(), np.float32)
    b.node("Shape", ["embeds"], "rotation.num_frames", start=0, end=1)
    for name in ("cos", "sin"):
        slices = [f"rotation.{name}_table", b.constant("rotation.first", [0]), "rotation.num_frames"]
        b.node("Slice", [*slices, b.constant("rotation.axis", [0])], f"rotation.{name}_half")
    b.node("Neg", ["rotation.sin_half"], "rotation.negative_sin_half")
    b.node("Concat", ["rotation.cos_half", "rotation.cos_half"], "rotation.cos", axis=-1)
    b.node("Concat", ["rotation.negative_sin_half", "rotation.sin_half"], "rotation.sin", axis=-1)
    # The other half of each head, for the sines.
    b.constant("rotation.swapped", np.roll(np.arange(2 * half), half))


def add_attention(b: Builder, prefix: str, layer: int, x: str, heads: int, size: int) -> str:
    """Add self-attention to the graph. `x` has axes (frame, channel)."""
    at = f"layer{layer}.attention"
    b.constant("attention.heads", [-1, heads, size])
    b.constant("attention.joined", [-1, heads * size])
    b.constant("attention.scale", size**-0.5, np.float32)
    parts = {}
    for part in ("q", "k", "v"):
        flat = b.linear(f"{prefix}.{part}_proj", x, f"{at}.{part}", bias=False)
        parts[part] = b.node("Reshape", [flat, "attention.heads"], f"{at}.{part}_heads")
    for part in ("q", "k"):
        own = parts[part]
        b.node("Mul", [own, "rotation.cos"], f"{at}.{part}_cos")
        b.node("Gather", [own, "rotation.swapped"], f"{at}.{part}_swapped", axis=-1)
        b.node("Mul", [f"{at}.{part}_swapped", "rotation.sin"], f"{at}.{part}_sin")
        parts[part] = b.node("Add", [f"{at}.{part}_cos", f"{at}.{part}_sin"], f"{at}.{part}_rotated")
    # Axes (head, frame, channel), for keys (head, channel, frame).
    q = b.node("Transpose", [parts["q"]], f"{at}.queries", perm=[1, 0, 2])
    k = b.node("Transpose", [parts["k"]], f"{at}.keys", perm=[1, 2, 0])
    v = b.node("Transpose", [parts["v"]], f"{at}.values", perm=[1, 0, 2])
    b.node("MatMul", [q, k], f"{at}.products")
    b.node("Mul", [f"{at}.products", "attention.scale"], f"{at}.scaled")
    b.node("Add", [f"{at}.scaled", "attention.mask"], f"{at}.scores")
    b.node("Softmax", [f"{at}.scores"], f"{at}.weights", axis=-1)
    b.node("MatMul", [f"{at}.weights", v], f"{at}.means")
    b.node("Transpose", [f"{at}.means"], f"{at}.frames", perm=[1, 0, 2])
    b.node("Reshape", [f"{at}.frames", "attention.joined"], f"{at}.joined")
    return b.linear(f"{prefix}.o_proj", f"{at}.joined", f"{at}.output")


def add_gelu(b: Builder, x: str, output: str) -> str:
    """Add the exact GELU, x · (1 + erf(x / √2)) / 2, in the form that ONNX Runtime fuses."""
    b.constant("gelu.root", 2**0.5, np.float32)
    b.constant("gelu.one", 1, np.float32)
    b.constant("gelu.half", 0.5, np.float32)
    b.node("Div", [x, "gelu.root"], f"{output}.scaled")
    b.node("Erf", [f"{output}.scaled"], f"{output}.erf")
    b.node("Add", [f"{output}.erf", "gelu.one"], f"{output}.gate")
    b.node("Mul", [x, f"{output}.gate"], f"{output}.gated")
    return b.node("Mul", [f"{output}.gated", "gelu.half"], output)


def add_encoder(b: Builder, model: torch.nn.Module, config: Nemotron3DiarizationConfig) -> str:
    audio = config.audio_config
    tower = model.model.audio_tower
    assert audio.hidden_act == "gelu" and audio.num_key_value_heads == audio.num_attention_heads
    add_rotation(b, model, max_frames(config))
    # 0 for valid frames.
    b.constant("attention.one", 1, np.float32)
    b.constant("attention.masked_score", -MASKED_SCORE, np.float32)
    b.node("Sub", ["valid", "attention.one"], "attention.padding")
    b.node("Mul", ["attention.padding", "attention.masked_score"], "attention.mask")
    x = b.norm("model.audio_tower.input_layer_norm", tower.input_layer_norm, "embeds", "input_norm")
    for index, layer in enumerate(tower.layers):
        number, prefix = index + 1, f"model.audio_tower.layers.{index}"
        normed = b.norm(f"{prefix}.layer_norm1", layer.layer_norm1, x, f"layer{number}.norm1")
        heads, size = audio.num_attention_heads, layer.self_attn.head_dim
        attended = add_attention(b, f"{prefix}.self_attn", number, normed, heads, size)
        x = b.node("Add", [x, attended], f"layer{number}.attended")
        normed = b.norm(f"{prefix}.layer_norm2", layer.layer_norm2, x, f"layer{number}.norm2")
        hidden = b.linear(f"{prefix}.mlp.fc1", normed, f"layer{number}.fc1")
        active = add_gelu(b, hidden, f"layer{number}.gelu")
        x = b.node("Add", [x, b.linear(f"{prefix}.mlp.fc2", active, f"layer{number}.fc2")], f"layer{number}")
    return b.norm("model.audio_tower.layer_norm", tower.layer_norm, x, "output_norm")


def add_head(b: Builder, x: str, config: Nemotron3DiarizationConfig) -> None:
    """Add the projection, the sub-pixel upsampling and the classifier. `x` has axes (frame, channel)."""
    head = config.head_config
    b.linear("model.proj", x, "head.projection")
    b.node("Transpose", ["head.projection"], "head.channels", perm=[1, 0])
    b.node("Unsqueeze", ["head.channels", b.constant("head.axis", [0])], "head.batch")
    weights = [b.weight("model.upsampler.conv.weight"), b.weight("model.upsampler.conv.bias")]
    b.node("Conv", ["head.batch", *weights], "head.conv", kernel_shape=[3], pads=[1, 1])
    b.node("Transpose", ["head.conv"], "head.frames", perm=[0, 2, 1])
    b.node("Reshape", ["head.frames", b.constant("head.shape", [-1, head.hidden_size])], "head")
    b.node("Relu", ["head"], "classifier.relu1")
    b.linear("classifier.dense", "classifier.relu1", "classifier.hidden")
    b.node("Relu", ["classifier.hidden"], "classifier.relu2")
    b.linear("classifier.out_proj", "classifier.relu2", "logits")


def build_graph(model: torch.nn.Module) -> onnx.ModelProto:
    """Return the graph of `model` without weights.

    Raises:
        ExportError: A tensor of the checkpoint is not used, or the graph is not valid.
    """
    config = model.config
    audio, head = config.audio_config, config.head_config
    state = model.state_dict()
    b = Builder(state)
    add_stacking(b, config)
    add_head(b, add_encoder(b, model, config), config)
    b.node("Identity", [b.weight("silence_embeds")], "silence")
    unused = sorted(state.keys() - b.used)
    if unused:
        raise exporting.ExportError(f"tensors without a use: {', '.join(unused)}")

    def value(name: str, *shape: int | str) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    graph = helper.make_graph(
        b.nodes,
        "nemotron-3-diarization",
        [
            value("features", "mel_frame", audio.num_mel_bins),
            value("embeds", "frame", audio.hidden_size),
            value("valid", "frame"),
        ],
        [
            value("stacked", "encoder_frame", audio.hidden_size),
            value("logits", "output_frame", head.num_speakers),
            value("silence", audio.hidden_size),
        ],
        b.initializers,
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", exporting.OPSET)], producer_name="voxlane")
    # The lowest version for this opset, which every runtime of the opset reads.
    proto.ir_version = 8
    return proto


def filled(graph: onnx.ModelProto, state: dict[str, torch.Tensor]) -> onnx.ModelProto:
    """Return the graph with the weights of `state`."""
    whole = onnx.ModelProto()
    whole.CopyFrom(graph)
    for tensor in whole.graph.initializer:
        if tensor.data_location == TensorProto.EXTERNAL:
            tensor.CopyFrom(numpy_helper.from_array(state[tensor.name].numpy(), tensor.name))
    return whole


def inputs_of(length: int, config: Nemotron3DiarizationConfig) -> tuple[torch.Tensor, torch.Tensor]:
    """Return log-mel-like features of `length` encoder frames, and the validity of the encoder frames."""
    audio = config.audio_config
    generator = torch.Generator().manual_seed(length)
    features = 3 * torch.randn(length * audio.subsampling_factor, audio.num_mel_bins, generator=generator) - 9
    padding = PARITY_PADDING.get(length, 0)
    valid = (torch.arange(length) < length - padding).float()
    # Padding has features of 0, as in the class.
    features *= valid.repeat_interleave(audio.subsampling_factor)[:, None]
    return features, valid


@torch.inference_mode()
def reference_stages(model: torch.nn.Module, features: torch.Tensor, valid: torch.Tensor) -> dict[str, torch.Tensor]:
    """Return the stages of one step of the class without a cache: embeds to logits, for a batch of one."""
    captured: dict[str, torch.Tensor] = {}

    def keep(name: str):
        return lambda _module, _inputs, output: captured.__setitem__(name, output[0])

    layers = model.model.audio_tower.layers
    hooks = [layers[n - 1].register_forward_hook(keep(f"layer{n}")) for n in STAGE_LAYERS if n <= len(layers)]
    stacked = model.model.audio_tower.embedder(features[None])
    mask = None if bool(valid.all()) else valid.bool()[None]
    head = model.model(inputs_embeds=stacked, attention_mask=mask).last_hidden_state
    logits = model.classifier(head)
    for hook in hooks:
        hook.remove()
    return {"stacked": stacked[0], **captured, "head": head[0], "logits": logits[0]}


def check(graph: onnx.ModelProto, model: torch.nn.Module) -> None:
    """Compare every stage of the graph in onnxruntime with the class, for all `PARITY_LENGTHS`.

    Raises:
        ExportError: A difference exceeds `BOUND`, or the silence embedding differs.
    """
    state = model.state_dict()
    whole = filled(graph, state)
    onnx.checker.check_model(whole, full_check=True)
    names = ["stacked", *(f"layer{n}" for n in STAGE_LAYERS if n <= len(model.model.audio_tower.layers)), "head", "logits"]
    declared = {output.name for output in whole.graph.output}
    whole.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in declared)
    session = onnxruntime.InferenceSession(whole.SerializeToString(), providers=["CPUExecutionProvider"])
    greatest = 0.0
    for length in PARITY_LENGTHS:
        features, valid = inputs_of(length, model.config)
        expected = reference_stages(model, features, valid)
        embeds = expected["stacked"]
        feeds = {"features": features.numpy(), "embeds": embeds.numpy(), "valid": valid.numpy()}
        values = dict(zip([*names, "silence"], session.run([*names, "silence"], feeds), strict=True))
        if not np.array_equal(values["silence"], state["silence_embeds"].numpy()):
            raise exporting.ExportError("the silence embedding differs")
        errors = {name: float(np.abs(values[name] - expected[name].numpy()).max()) for name in names}
        spread = float(expected["logits"].std())
        text = ", ".join(f"{name} {error:.1e}" for name, error in errors.items())
        print(f"  {length:>4} frames, {int(length - valid.sum())} of padding, logits' spread {spread:.2f}: {text}")
        # This condition also fails for NaN.
        if not all(error <= BOUND for error in errors.values()):
            raise exporting.ExportError(f"{length} frames: differs from the class by more than {BOUND:.0e}")
        greatest = max(greatest, *errors.values())
    print(f"greatest absolute difference of {len(model.model.audio_tower.layers)} layers: {greatest:.2e} (bound {BOUND:.0e})")


def stage_facts(config: Nemotron3DiarizationConfig, front: NemotronAsrStreamingFeatureExtractor) -> list[dict[str, Any]]:
    """Return the `StageSpec` of every stage."""
    # A frame has win_length samples, from win_length / 2 before its position.
    mel = exporting.Frames(-0.5, front.hop_length)
    factor = config.audio_config.subsampling_factor
    # Halfway between the first and the last stacked frame.
    encoder = exporting.Frames(mel.center + (factor - 1) * mel.step / 2, factor * mel.step)
    stages = (
        exporting.Stage("features", ("frame", "mel"), None),
        exporting.Stage("stacking", ("frame", "channel"), "stacked"),
        *(exporting.Stage(f"layer{n}", ("frame", "channel"), f"layer{n}") for n in STAGE_LAYERS),
        exporting.Stage("head", ("frame", "channel"), "head"),
        exporting.Stage("logits", ("frame", "speaker"), "logits"),
    )
    frames = {stage.name: mel if stage.name in ("features", "head", "logits") else encoder for stage in stages}
    return exporting.stage_facts(stages, frames)


def manifest_of(graph: onnx.ModelProto, config: Nemotron3DiarizationConfig, front: NemotronAsrStreamingFeatureExtractor) -> dict[str, Any]:
    """Return the `DiarizationManifest` without `file`."""
    audio = config.audio_config
    values = {value.name: value for value in (*graph.graph.input, *graph.graph.output)}

    def fact(name: str, *axes: str) -> dict[str, Any]:
        dims = values[name].type.tensor_type.shape.dim
        shape = [dim.dim_value if dim.HasField("dim_value") else None for dim in dims]
        return {"name": name, "dtype": "float32", "axes": list(axes), "shape": shape}

    return {
        "id": "nemotron-3-diarization",
        "task": "diarization",
        "license": LICENSE,
        "attribution": "Nemotron 3 Diarization, NVIDIA",
        "weights": {
            **WEIGHTS,
            "license": LICENSE,
            "numTensors": sum(tensor.data_location == TensorProto.EXTERNAL for tensor in graph.graph.initializer),
            "hub": {"repository": REPOSITORY, "revision": REVISION, "file": WEIGHTS["name"]},
        },
        "sampleRate": front.sampling_rate,
        "fbank": {
            "numMelBins": front.feature_size,
            "frameLengthMs": 1000 * front.win_length / front.sampling_rate,
            "frameShiftMs": 1000 * front.hop_length / front.sampling_rate,
            "windowType": "hann",
            "preemphasis": front.preemphasis,
            "removeDcOffset": False,
            "snipEdges": False,
            "padding": "zeros",
            "lowFrequencyHz": 0.0,
            "highFrequencyHz": 0.0,
            "melScale": "slaney",
            "logOffset": LOG_ZERO_GUARD_VALUE,
            "dither": 0.0,
            "sampleScale": 1,
            "subtractMean": False,
        },
        "numLayers": audio.num_hidden_layers,
        "maxEncoderFrames": max_frames(config),
        "tensors": {
            "features": fact("features", "frame", "mel"),
            "stacked": fact("stacked", "frame", "channel"),
            "embeds": fact("embeds", "frame", "channel"),
            "valid": fact("valid", "frame"),
            "logits": fact("logits", "frame", "speaker"),
            "silence": fact("silence", "channel"),
        },
        "streaming": streaming_facts(config),
        "stages": stage_facts(config, front),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=HERE, help="output folder (default: the script's folder)")
    arguments = parser.parse_args()
    # Several threads could split sums differently in each run.
    torch.set_num_threads(1)
    config, front = config_of()
    for layers in (4, None):
        model = seeded_model(layers)
        graph = build_graph(model)
        check(graph, model)
    assert model.config.audio_config.num_hidden_layers == config.audio_config.num_hidden_layers
    exporting.save(arguments.out, graph, manifest_of(graph, config, front))


if __name__ == "__main__":
    exporting.run(main)
