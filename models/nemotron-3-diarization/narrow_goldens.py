"""Write src/sortformer/fixtures/narrow.*: ten minutes of speech in each mode with a small network of the reference class.

    python models/nemotron-3-diarization/narrow_goldens.py

Requires requirements.txt. The loop, its constants, the speaker cache, the processor and the layers are those of the
reference. Only the sizes of the layers are smaller, so that the tests can run all steps of all modes. The audio is the
sample recording again and again: each time from another sample on, with another level, and in every third repetition
with a second copy that talks at the same time. `narrow.onnx` is the graph without weights, which are seeded.

Stored per case: for each step, the hash of the frames in speaker cache and FIFO in order, and two weighted sums of the
embeddings and probabilities in them; every decision; and some logits.
"""

from __future__ import annotations

import json
import sys
import time
import wave
import zlib
from typing import Any

import numpy as np
import pipeline_goldens as pipeline
import torch
from export import build_graph, check
from seeded import seeded_model, uniform
from transformers import Nemotron3DiarizationConfig

HIDDEN, HEAD_HIDDEN = 24, 16
SIZES = {
    "audio_config": {
        "hidden_size": HIDDEN,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 1,
        "num_key_value_heads": 1,
    },
    "head_config": {"audio_hidden_size": HIDDEN, "hidden_size": HEAD_HIDDEN},
}

# Ten minutes, and not a whole number of mel frames.
NUM_SAMPLES = 600 * 16000 + 77
MODES = ("offline", "low_latency", "very_low_latency", "ultra_low_latency")
# Seed of the noise of the first repetition.
NOISE_SEED = 8000
# A stored frame of logits every so many mel frames.
STRIDE = 797


def varied(block: int, recording: np.ndarray) -> np.ndarray:
    """Return one repetition of the recording in float32. The sums of its multiples by eighths are exact."""
    length = len(recording)
    first = block * 126_719 % length
    samples = np.roll(recording, -first) * np.float32((4 + block % 5) / 8)
    if block % 3 == 1:
        second = (first + length // 3 + block * 1_009) % length
        samples = samples + np.roll(recording, -second) * np.float32((4 + 3 * block % 5) / 8)
    return samples + uniform(NOISE_SEED + block, length) * np.float32(pipeline.NOISE_LEVEL)


def audio(num_samples: int) -> np.ndarray:
    with wave.open(str(pipeline.ROOT / "public/sample.wav")) as file:
        recording = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.float32) / np.float32(32768)
    count = -(-num_samples // len(recording))
    return np.concatenate([varied(block, recording) for block in range(count)])[:num_samples]


def record(model: torch.nn.Module, mode: str, samples: np.ndarray) -> tuple[pipeline.Recorder, np.ndarray]:
    """Return the states and the logits of the reference, axes (mel frame, speaker), and print what is in them."""
    start = time.monotonic()
    with pipeline.Recorder() as recorder:
        logits = pipeline.run(model, mode, samples)
    assert len(logits) == len(samples) // 160
    active = logits > 0
    shares = " ".join(f"{share:.2f}" for share in active.mean(0))
    print(f"{mode}: {len(recorder.hashes)} steps, {time.monotonic() - start:.0f} s", flush=True)
    print(f"  share of active frames {shares}; {np.abs(np.diff(active.astype(int), axis=0)).sum()} changes", flush=True)
    return recorder, logits


def main() -> None:
    torch.set_num_threads(1)
    model = seeded_model(config=Nemotron3DiarizationConfig(**SIZES))
    graph = build_graph(model)
    check(graph, model)
    (pipeline.OUT / "narrow.onnx").write_bytes(graph.SerializeToString())
    cases, chunks = [], []

    def store(values: bytes) -> dict[str, int]:
        packed = zlib.compress(values, 9)
        place = {"offset": sum(map(len, chunks)), "bytes": len(packed)}
        chunks.append(packed)
        return place

    samples = audio(NUM_SAMPLES)
    for mode in sys.argv[1:] or MODES:
        recorder, logits = record(model, mode, samples)
        cases.append(
            {
                "mode": mode,
                "numLayers": SIZES["audio_config"]["num_hidden_layers"],
                "numSamples": len(samples),
                "numFrames": len(logits),
                "spread": float(logits.std()),
                "states": store(b"".join(recorder.hashes)),
                # Axes ([embeddings, probabilities], step).
                "sums": store(np.ascontiguousarray(np.array(recorder.sums, "<f4").reshape(-1, 2).T).tobytes()),
                # Axes (speaker, mel frame), a bit each, the first frame in the highest bit; XOR with the frame before.
                "decisions": store(changes_of(logits > 0)),
                "logits": store(np.ascontiguousarray(logits[::STRIDE], "<f4").tobytes()),
            }
        )
    facts: dict[str, Any] = {
        "hiddenSize": HIDDEN,
        "noiseSeed": NOISE_SEED,
        "noiseLevel": pipeline.NOISE_LEVEL,
        "embeddingSeed": pipeline.EMBEDDING_SEED,
        "probabilitySeed": pipeline.PROBABILITY_SEED,
        "stride": STRIDE,
        "hashBytes": pipeline.HASH_BYTES,
        "cases": cases,
    }
    (pipeline.OUT / "narrow.bin").write_bytes(b"".join(chunks))
    (pipeline.OUT / "narrow.json").write_text(json.dumps(facts, indent=1) + "\n")
    print({name: sum(case[name]["bytes"] for case in cases) for name in ("states", "sums", "decisions", "logits")})


def changes_of(active: np.ndarray) -> bytes:
    """Return whether each decision differs from the previous one, which compresses better. The first is compared with silence."""
    changes = np.diff(active.astype(np.uint8), axis=0, prepend=0) & 1
    return np.packbits(changes.T, axis=1).tobytes()


if __name__ == "__main__":
    main()
