"""Write src/sortformer/checkGoldens.json: outputs of the reference class with one seeded layer, for the self-check.

    python models/nemotron-3-diarization/check_goldens.py

Requires requirements.txt. The self-check runs on the machine of the user before the model does. It cannot use the official
weights, whose outputs are not known here, so it computes the weights of `seeded.py`. The step has as many frames as the graph
has positions: a kernel can be wrong only beyond some length. The last encoder frames are padding.

Only some frames are stored, float32 in base64, with axes (stored frame, channel).
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np
import torch
from export import reference_stages
from network_goldens import FEATURE_MEAN, FEATURE_SPREAD
from seeded import seeded_model, uniform

MODEL = Path(__file__).resolve().parent
OUT = MODEL.parents[1] / "src/sortformer/checkGoldens.json"

NUM_PADDING = 4
FEATURE_SEED = 6000
# Distance of stored frames.
STRIDES = {"stacked": 337, "logits": 97}


def main() -> None:
    # Several threads could split sums differently in each run.
    torch.set_num_threads(1)
    num_frames = json.loads((MODEL / "manifest.json").read_text())["maxEncoderFrames"]
    num_valid = num_frames - NUM_PADDING
    values = uniform(FEATURE_SEED, num_frames * 8 * 128) * np.float32(FEATURE_SPREAD) + np.float32(FEATURE_MEAN)
    values[num_valid * 8 * 128 :] = 0
    features = torch.from_numpy(values.reshape(-1, 128))
    stages = reference_stages(seeded_model(1), features, (torch.arange(num_frames) < num_valid).float())
    facts = {
        "numFrames": num_frames,
        "numValid": num_valid,
        "melFramesPerEncoderFrame": 8,
        "featureSeed": FEATURE_SEED,
        "featureSpread": FEATURE_SPREAD,
        "featureMean": FEATURE_MEAN,
        "stages": [
            {
                "name": name,
                "stride": stride,
                "numColumns": stages[name].shape[-1],
                # Standard deviation over all frames.
                "spread": float(stages[name].std()),
                "values": base64.b64encode(stages[name][::stride].contiguous().numpy().astype("<f4").tobytes()).decode(),
            }
            for name, stride in STRIDES.items()
        ],
    }
    OUT.write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main()
