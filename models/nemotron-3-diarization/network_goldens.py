"""Write src/sortformer/fixtures/network.json and network.f32: stages of the reference class with seeded weights.

    python models/nemotron-3-diarization/network_goldens.py

Requires requirements.txt. Only some frames of each stage are stored, with axes (stored frame, channel) in float32. The
features are numbers of the generator of `seeded.py`, which the tests compute too. The last encoder frames are padding.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import torch
from export import exporting, reference_stages
from seeded import seeded_model, uniform, write

OUT = Path(__file__).resolve().parents[2] / "src/sortformer/fixtures"

NUM_FRAMES = 64
NUM_VALID = 60
FEATURE_SEED = 5000
# Of log-mel features, about.
FEATURE_SPREAD, FEATURE_MEAN = 8.0, -8.0
# Distance of stored frames, at the rate of encoder frames and of mel frames.
ENCODER_STRIDE, MEL_STRIDE = 9, 37


def features() -> tuple[torch.Tensor, torch.Tensor]:
    """Return log-mel-like features, axes (mel frame, mel), and the validity of encoder frames."""
    values = uniform(FEATURE_SEED, NUM_FRAMES * 8 * 128) * np.float32(FEATURE_SPREAD) + np.float32(FEATURE_MEAN)
    values[NUM_VALID * 8 * 128 :] = 0
    return torch.from_numpy(values.reshape(-1, 128)), (torch.arange(NUM_FRAMES) < NUM_VALID).float()


def main() -> None:
    # Several threads could split sums differently in each run.
    torch.set_num_threads(1)
    models, chunks, offset = [], [], 0
    for layers in (4, 31):
        model = seeded_model(layers)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.safetensors"
            write(path, model)
            sha256 = exporting.sha256_of(path)
        stages = {}
        for name, value in reference_stages(model, *features()).items():
            stored = value[:: ENCODER_STRIDE if len(value) == NUM_FRAMES else MEL_STRIDE].contiguous().numpy()
            # `spread` is that of all frames.
            stages[name] = {"shape": list(stored.shape), "offset": offset, "spread": float(value.std())}
            chunks.append(stored.astype("<f4").tobytes())
            offset += stored.size
        models.append({"numLayers": layers, "weightsSha256": sha256, "stages": stages})
    facts = {
        "numFrames": NUM_FRAMES,
        "numValid": NUM_VALID,
        "featureSeed": FEATURE_SEED,
        "encoderStride": ENCODER_STRIDE,
        "melStride": MEL_STRIDE,
        "models": models,
    }
    (OUT / "network.f32").write_bytes(b"".join(chunks))
    (OUT / "network.json").write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main()
