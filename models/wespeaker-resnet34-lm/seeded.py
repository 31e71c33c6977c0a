"""A full-size WeSpeaker ResNet34 for tests, with weights computed from seeds and small tables.

The published weights are not part of this repository, and neither are 26 MB of random weights. The weights of every
layer are the output of a counter-based generator, multiplied by one gain per output channel. Only the skeleton of an
exported graph is stored. In a skeleton, each large initializer is external data at the location `seeded`, with its seed.
The gains are stored as initializers named `<weight>/gain`. `test/seededModel.ts` fills skeletons to identical bits, so
that the tests need no Python. Loading an unfilled skeleton results in an error about external data.

Gains and biases result from folded batch norms with statistics of speech. Therefore, as in a trained network,
activations neither vanish nor explode in 33 layers.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from seeded_values import uniform  # noqa: E402

# Location of external data in a skeleton.
LOCATION = "seeded"
GAIN_SUFFIX = "/gain"

# Maximum deviation of the scale (from 1) and shift (from 0) of batch norms. Channels differ, and none is disabled.
SCALE_SPREAD = 0.5
SHIFT_SPREAD = 0.3

# Maximum bias of the last layer. Embedding components are of order 1.
BIAS_SPREAD = 0.1

# Seeds of weights start at 0. Seeds of other tables must differ from these.
SCALE_SEED = 1000
SHIFT_SEED = 2000
BIAS_SEED = 3000


def layers_of(network: torch.nn.Module) -> list[tuple[torch.nn.Conv2d, torch.nn.BatchNorm2d]]:
    """Return every convolution with the batch norm that follows it, in the order of computation."""
    modules = [module for module in network.modules() if isinstance(module, (torch.nn.Conv2d, torch.nn.BatchNorm2d))]
    convolutions = [module for module in modules if isinstance(module, torch.nn.Conv2d)]
    norms = [module for module in modules if isinstance(module, torch.nn.BatchNorm2d)]
    return list(zip(convolutions, norms, strict=True))


@torch.no_grad()
def seed_weights(network: torch.nn.Module, features: torch.Tensor) -> None:
    """Set the weights of `network`, and leave it in evaluation mode.

    Args:
        network: A `ResNet` of pyannote.audio.
        features: Features for the statistics of the batch norms, with axes (batch, frame, mel).
    """
    for seed, (convolution, norm) in enumerate(layers_of(network)):
        _fill(convolution.weight, seed, 1)
        _fill(norm.weight, SCALE_SEED + seed, SCALE_SPREAD)
        norm.weight += 1
        _fill(norm.bias, SHIFT_SEED + seed, SHIFT_SPREAD)
        # With this momentum, one forward pass sets the running statistics to those of the batch.
        norm.momentum = 1.0
    linear = network.seg_1
    # Scaled to outputs of unit variance for inputs of unit variance.
    _fill(linear.weight, len(layers_of(network)), float(np.float32((3 / linear.in_features) ** 0.5)))
    _fill(linear.bias, BIAS_SEED, BIAS_SPREAD)
    network.train()
    network(features)
    network.eval()


def _fill(parameter: torch.Tensor, seed: int, spread: float) -> None:
    values = uniform(seed, parameter.numel()) * np.float32(spread)
    parameter.copy_(torch.from_numpy(values).view_as(parameter))


def gains_of(network: torch.nn.Module) -> list[np.ndarray]:
    """Return the gains of each layer per output channel, which fold the batch norm into the generated weights."""
    gains = [norm.weight / torch.sqrt(norm.running_var + norm.eps) for _, norm in layers_of(network)]
    linear = network.seg_1
    last = np.float32((3 / linear.in_features) ** 0.5)
    return [*(gain.detach().numpy().astype(np.float32) for gain in gains), np.full(linear.out_features, last)]


def skeleton_of(graph: onnx.ModelProto, gains: list[np.ndarray]) -> onnx.ModelProto:
    """Remove the generated weights from a graph.

    Args:
        graph: Export of the network with folded batch norms.
        gains: Gains of each layer from `gains_of`.

    Returns:
        The skeleton, which `fill` turns back into the graph.

    Raises:
        AssertionError: The weights in `graph` differ from the generated weights.
    """
    skeleton = onnx.ModelProto()
    skeleton.CopyFrom(graph)
    initializers = {tensor.name: tensor for tensor in skeleton.graph.initializer}
    names = [node.input[1] for node in skeleton.graph.node if node.op_type in ("Conv", "Gemm")]
    for seed, (name, gain) in enumerate(zip(names, gains, strict=True)):
        tensor = initializers[name]
        exported = numpy_helper.to_array(tensor)
        # Not exactly equal, because the exporter rounds once more than the product.
        np.testing.assert_allclose(exported, _weights(seed, gain, exported.shape), rtol=1e-6, atol=0)
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        for key, value in (("location", LOCATION), ("seed", str(seed))):
            tensor.external_data.add(key=key, value=value)
        skeleton.graph.initializer.append(numpy_helper.from_array(gain, name + GAIN_SUFFIX))
    return skeleton


def fill(skeleton: onnx.ModelProto) -> onnx.ModelProto:
    """Return the graph of `skeleton` with all of its weights."""
    model = onnx.ModelProto()
    model.CopyFrom(skeleton)
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    kept = [tensor for tensor in model.graph.initializer if not tensor.name.endswith(GAIN_SUFFIX)]
    for tensor in kept:
        if tensor.data_location != onnx.TensorProto.EXTERNAL:
            continue
        seed = next(int(entry.value) for entry in tensor.external_data if entry.key == "seed")
        gain = numpy_helper.to_array(tensors[tensor.name + GAIN_SUFFIX])
        tensor.CopyFrom(numpy_helper.from_array(_weights(seed, gain, tuple(tensor.dims)), tensor.name))
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    return model


def _weights(seed: int, gain: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return float32 weights of `shape`, whose first axis is the output channel. Each product is rounded once."""
    values = uniform(seed, int(np.prod(shape))).reshape(shape)
    return values * gain.reshape(-1, *[1] * (len(shape) - 1))
