"""A full-size WeSpeaker ResNet34 whose weights follow from a few small tables, for tests.

The public weights are not part of this repository, and 26 MB of random ones need not be either: the weights of every
layer are numbers of a counter-based generator times one gain per output channel. What is kept of an exported graph is
its skeleton, in which each large initializer is marked as data outside of the file, at a place called `seeded`, with its
seed. The gains stay in the skeleton, as initializers called `<weight>/gain`. `test/seededModel.ts` fills a skeleton
in the same way, to the same bits, so that the tests need no Python; whoever opens a skeleton unfilled is told that its
weights lie elsewhere.

Gains and biases are what is left of batch norms whose statistics come from speech, so that activations are as lively as
in a trained network: neither dying nor exploding through 33 layers.
"""

from __future__ import annotations

import numpy as np
import onnx
import torch
from onnx import numpy_helper

# Where a skeleton says that its weights are.
LOCATION = "seeded"
GAIN_SUFFIX = "/gain"

# How far batch norms scale and shift from what they would give by themselves: channels differ, none is switched off.
SCALE_SPREAD = 0.5
SHIFT_SPREAD = 0.3

# Biases of the last layer, against embedding components of order 1.
BIAS_SPREAD = 0.1

# Seeds of weights count from 0; those of other tables must not meet them.
SCALE_SEED = 1000
SHIFT_SEED = 2000
BIAS_SEED = 3000


def uniform(seed: int, count: int) -> np.ndarray:
    """Axes (value), float32, multiples of 2^-23 in [-1, 1): value `i` is a hash of `i` and `seed`."""
    with np.errstate(over="ignore"):
        x = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B1) + np.uint32(seed) * np.uint32(0x85EBCA77)
        for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
            x = (x ^ (x >> np.uint32(shift))) * np.uint32(factor)
        x ^= x >> np.uint32(16)
    # 24 bits, which float32 holds without rounding.
    return ((x >> np.uint32(8)).astype(np.float32) / np.float32(2**23)) - np.float32(1)


def layers_of(network: torch.nn.Module) -> list[tuple[torch.nn.Conv2d, torch.nn.BatchNorm2d]]:
    """Every convolution and the batch norm behind it, in the order in which they are computed."""
    modules = [module for module in network.modules() if isinstance(module, (torch.nn.Conv2d, torch.nn.BatchNorm2d))]
    convolutions = [module for module in modules if isinstance(module, torch.nn.Conv2d)]
    norms = [module for module in modules if isinstance(module, torch.nn.BatchNorm2d)]
    return list(zip(convolutions, norms, strict=True))


@torch.no_grad()
def seed_weights(network: torch.nn.Module, features: torch.Tensor) -> None:
    """Give `network`, a `ResNet` of pyannote.audio, its weights; batch norms take their statistics from `features`.

    `features` has axes (batch, frame, mel). Leaves the network in evaluation mode.
    """
    for seed, (convolution, norm) in enumerate(layers_of(network)):
        _fill(convolution.weight, seed, 1)
        _fill(norm.weight, SCALE_SEED + seed, SCALE_SPREAD)
        norm.weight += 1
        _fill(norm.bias, SHIFT_SEED + seed, SHIFT_SPREAD)
        # One pass then sets the statistics to those of the batch.
        norm.momentum = 1.0
    linear = network.seg_1
    # Rows of unit variance.
    _fill(linear.weight, len(layers_of(network)), float(np.float32((3 / linear.in_features) ** 0.5)))
    _fill(linear.bias, BIAS_SEED, BIAS_SPREAD)
    network.train()
    network(features)
    network.eval()


def _fill(parameter: torch.Tensor, seed: int, spread: float) -> None:
    values = uniform(seed, parameter.numel()) * np.float32(spread)
    parameter.copy_(torch.from_numpy(values).view_as(parameter))


def gains_of(network: torch.nn.Module) -> list[np.ndarray]:
    """Per output channel of each layer, what turns the generator's numbers into weights that need no batch norm."""
    gains = [norm.weight / torch.sqrt(norm.running_var + norm.eps) for _, norm in layers_of(network)]
    linear = network.seg_1
    last = np.float32((3 / linear.in_features) ** 0.5)
    return [*(gain.detach().numpy().astype(np.float32) for gain in gains), np.full(linear.out_features, last)]


def skeleton_of(graph: onnx.ModelProto, gains: list[np.ndarray]) -> onnx.ModelProto:
    """`graph`, an export of the network with batch norms folded in, without the weights that follow from `gains`."""
    skeleton = onnx.ModelProto()
    skeleton.CopyFrom(graph)
    initializers = {tensor.name: tensor for tensor in skeleton.graph.initializer}
    names = [node.input[1] for node in skeleton.graph.node if node.op_type in ("Conv", "Gemm")]
    for seed, (name, gain) in enumerate(zip(names, gains, strict=True)):
        tensor = initializers[name]
        exported = numpy_helper.to_array(tensor)
        # The exporter rounds once more than the product does.
        np.testing.assert_allclose(exported, _weights(seed, gain, exported.shape), rtol=1e-6, atol=0)
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        for key, value in (("location", LOCATION), ("seed", str(seed))):
            tensor.external_data.add(key=key, value=value)
        skeleton.graph.initializer.append(numpy_helper.from_array(gain, name + GAIN_SUFFIX))
    return skeleton


def fill(skeleton: onnx.ModelProto) -> onnx.ModelProto:
    """The graph that `skeleton` stands for, with all of its weights."""
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
    """Axes `shape`, the first of which is the output channel; float32, each product rounded once."""
    values = uniform(seed, int(np.prod(shape))).reshape(shape)
    return values * gain.reshape(-1, *[1] * (len(shape) - 1))
