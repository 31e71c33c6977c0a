"""Write Nemotron 3 Diarization with weights computed from seeds, as a safetensors file.

    python models/nemotron-3-diarization/seeded.py model.safetensors [--layers 4]

The official weights cannot be part of this repository. This script makes a model of the reference class, in its full
size or with fewer layers, whose tensors have the same names, shapes, type and order as those of the official file.
Every value is the output of a counter-based generator times one factor per tensor, so `test/seededNemotron.ts` writes
identical bytes, and the tests need no Python.

The factors keep the variance of activations in all layers. Two rules make the outputs of random weights change over
time, so that the speaker cache has something to choose from: the weights for the second half of the mel bins of each
stacked frame, and for the second half of the last layer's inputs, are the negatives of those of the first half. This
removes the constant part of log-mel features and of rectified values.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import Nemotron3DiarizationConfig, Nemotron3DiarizationForAudioFrameClassification

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from seeded_values import uniform  # noqa: E402

# Maximum deviation of the weights of layer norms from 1.
NORM_SPREAD = 0.5
# Maximum value of biases and of the silence embedding. Activations are of order 1.
BIAS_SPREAD = 0.1
SILENCE_SPREAD = 1.0
# Logits of order 4, so that probabilities are on both sides of all thresholds of the speaker cache.
LOGIT_GAIN = 4.0

EMBEDDER = "model.audio_tower.embedder.projection.weight"
LAST = "classifier.out_proj.weight"


def spread_of(name: str, shape: tuple[int, ...]) -> np.float32:
    """Return the maximum absolute value of the random part of the tensor `name`."""
    if name == "silence_embeds":
        return np.float32(SILENCE_SPREAD)
    if name.endswith(".bias"):
        return np.float32(BIAS_SPREAD)
    if len(shape) == 1:
        return np.float32(NORM_SPREAD)
    # Outputs of unit variance for inputs of unit variance: values of a uniform distribution up to s have s² / 3.
    return np.float32((LOGIT_GAIN if name == LAST else 1) * (3 / np.prod(shape[1:])) ** 0.5)


def weight_of(index: int, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return the float32 values of the tensor `name`, which is at `index` in the sorted list of names."""
    values = (uniform(index, int(np.prod(shape))) * spread_of(name, shape)).reshape(shape)
    if len(shape) == 1 and name.endswith(".weight"):
        values += np.float32(1)
    if name in (EMBEDDER, LAST):
        # Axes (output, frame, bin), or (output, 1, input).
        parts = values.reshape(shape[0], -1, 128 if name == EMBEDDER else shape[1])
        half = parts.shape[2] // 2
        parts[:, :, half:] = -parts[:, :, :half]
    return values


@torch.no_grad()
def seeded_model(
    num_layers: int | None = None, config: Nemotron3DiarizationConfig | None = None
) -> Nemotron3DiarizationForAudioFrameClassification:
    """Return the reference class with seeded weights in evaluation mode; all layers unless `num_layers` is given.

    `config` has other sizes; the default is that of the official model.
    """
    config = config or Nemotron3DiarizationConfig()
    if num_layers is not None:
        config.audio_config.num_hidden_layers = num_layers
    model = Nemotron3DiarizationForAudioFrameClassification(config)
    for index, (name, tensor) in enumerate(sorted(model.state_dict().items())):
        tensor.copy_(torch.from_numpy(weight_of(index, name, tuple(tensor.shape))))
    return model.eval()


def write(path: Path, model: torch.nn.Module) -> None:
    """Write the weights of `model` as the hub's files are written."""
    save_file(model.state_dict(), path, metadata={"format": "pt"})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="file to write")
    parser.add_argument("--layers", type=int, help="number of layers (default: all)")
    arguments = parser.parse_args()
    write(arguments.out, seeded_model(arguments.layers))


if __name__ == "__main__":
    main()
