"""Write src/sortformer/fixtures/pipeline.json and pipeline.bin: the reference with seeded weights, from samples to logits.

    python models/nemotron-3-diarization/pipeline_goldens.py

Requires requirements.txt. The processor and the model are those of the reference. The audio is the sample recording,
repeated with noise, so no two frames are equal. After each step, the frames in the speaker cache and the FIFO are hashed
in order, by their number in the recording; -1 is the silence embedding. Stored per case: the hash of each step, every
decision, and some logits.
"""

from __future__ import annotations

import functools
import hashlib
import json
import time
import wave
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from seeded import seeded_model, uniform
from streaming import streamed_inputs
from transformers import Nemotron3DiarizationProcessor
from transformers.models.nemotron3_diarization import modeling_nemotron3_diarization as reference
from transformers.models.nemotron_asr_streaming.feature_extraction_nemotron_asr_streaming import (
    NemotronAsrStreamingFeatureExtractor,
)

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "src/sortformer/fixtures"

NOISE_SEED, NOISE_LEVEL = 6000, 0.005
# Seeds of the weights of the sums over the state.
EMBEDDING_SEED, PROBABILITY_SEED = 7000, 7001
# A stored frame of logits every so many mel frames.
STRIDE = 199
HASH_BYTES = 4

# Mode, number of layers, and number of samples. The first is a multiple of an encoder frame: its added frame of zeros is
# a frame of padding. The streaming cases are long enough that a full cache is compressed twice.
CASES = [
    ("offline", 4, 30 * 16000),
    ("offline", 31, 30 * 16000),
    ("offline", 4, 600 * 16000 + 1234),
    *((mode, 4, 75 * 16000 + 777) for mode in ("low_latency", "very_low_latency", "ultra_low_latency")),
]


def audio(num_samples: int) -> np.ndarray:
    """Return samples in float32. Each operation rounds once, so the tests compute identical samples."""
    with wave.open(str(ROOT / "public/sample.wav")) as file:
        recording = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.float32) / np.float32(32768)
    repeated = np.resize(recording, num_samples)
    return repeated + uniform(NOISE_SEED, num_samples) * np.float32(NOISE_LEVEL)


@functools.cache
def weights(seed: int, count: int) -> np.ndarray:
    return uniform(seed, count).astype(np.float64)


def weighted(seed: int, values: np.ndarray) -> float:
    """Return the sum of values with weights that depend on their place, so the order matters."""
    return float(weights(seed, len(values)) @ values.astype(np.float64))


class Recorder:
    """Replaces the update of the speaker cache by itself, and hashes the state after it.

    `sums` has two weighted sums per step: of the embeddings in cache and FIFO, and of the probabilities in the cache.
    """

    def __init__(self) -> None:
        self.hashes: list[bytes] = []
        self.sums: list[float] = []
        self.numbers: list[int] = []
        self.next_frame = 0
        self.original = reference.Nemotron3DiarizationSpeakerCache.update

    def __enter__(self) -> Recorder:
        recorder = self

        def update(cache, embeds, logits, silence, num_chunk_frames, **options):
            recorder.before(cache, embeds, num_chunk_frames, silence)
            recorder.original(cache, embeds, logits, silence, num_chunk_frames, **options)
            recorder.after(cache)

        reference.Nemotron3DiarizationSpeakerCache.update = update
        return self

    def __exit__(self, *_: object) -> None:
        reference.Nemotron3DiarizationSpeakerCache.update = self.original

    def before(self, cache: Any, embeds: torch.Tensor, num_chunk_frames: int, silence: torch.Tensor) -> None:
        known = cache.num_cache_frames + cache.num_fifo_frames
        numbers = [*self.numbers, *range(self.next_frame, self.next_frame + embeds.shape[1] - known)]
        rows = embeds[0].numpy()
        self.number_of = {row.tobytes(): number for row, number in zip(rows, numbers, strict=True)}
        self.number_of[silence.numpy().tobytes()] = -1
        self.next_frame += num_chunk_frames

    def after(self, cache: Any) -> None:
        rows = [*cache.embeds[0, : cache.num_cache_frames].numpy(), *cache.fifo[0, : cache.num_fifo_frames].numpy()]
        self.numbers = [self.number_of[row.tobytes()] for row in rows]
        counts = [cache.num_cache_frames, cache.num_fifo_frames, int(cache.is_compressed)]
        state = np.array([*counts, *self.numbers], "<i4")
        self.hashes.append(hashlib.sha256(state.tobytes()).digest()[:HASH_BYTES])
        probabilities = cache.probs[0, : cache.num_cache_frames].numpy().ravel()
        self.sums += [weighted(EMBEDDING_SEED, np.concatenate(rows)), weighted(PROBABILITY_SEED, probabilities)]


@torch.inference_mode()
def run(model: torch.nn.Module, mode: str, samples: np.ndarray) -> np.ndarray:
    """Return the logits of the reference, axes (mel frame, speaker)."""
    extractor = NemotronAsrStreamingFeatureExtractor(feature_size=model.config.audio_config.num_mel_bins)
    processor = Nemotron3DiarizationProcessor(extractor)
    rate = {"sampling_rate": extractor.sampling_rate, "return_tensors": "pt"}
    num_frames = len(samples) // extractor.hop_length
    if mode == "offline":
        return model(**processor(samples, **rate)).logits[0, :num_frames].numpy()
    processor.set_streaming_mode(mode)
    pieces, cache = [], None
    for _, inputs in streamed_inputs(processor, samples, **rate):
        output = model(**inputs, speaker_cache=cache)
        pieces.append(output.logits[0].numpy())
        cache = output.speaker_cache
    return np.concatenate(pieces)


class Pack:
    """Compressed pieces of one file, with their places."""

    def __init__(self) -> None:
        self.bytes = bytearray()

    def store(self, values: bytes) -> dict[str, int]:
        """Append a piece and return its place."""
        packed = zlib.compress(values, 9)
        place = {"offset": len(self.bytes), "bytes": len(packed)}
        self.bytes += packed
        return place


def main() -> None:
    torch.set_num_threads(2)
    cases, pack = [], Pack()
    models: dict[int, Any] = {}
    for mode, layers, num_samples in CASES:
        start = time.monotonic()
        model = models.setdefault(layers, seeded_model(layers))
        with Recorder() as recorder:
            logits = run(model, mode, audio(num_samples))
        assert len(logits) == num_samples // 160
        active = logits > 0
        shares = " ".join(f"{share:.2f}" for share in active.mean(0))
        print(f"{mode}, {layers} layers, {num_samples} samples: {len(recorder.hashes)} steps, {time.monotonic() - start:.0f} s")
        print(f"  share of active frames {shares}; {np.abs(np.diff(active.astype(int), axis=0)).sum()} changes")
        print(f"  frames in the last state: {recorder.numbers[:40]} …")
        cases.append(
            {
                "mode": mode,
                "numLayers": layers,
                "numSamples": num_samples,
                "numFrames": len(logits),
                "spread": float(logits.std()),
                "states": pack.store(b"".join(recorder.hashes)),
                # Axes (mel frame, speaker), a bit each, the first speaker in the highest bit.
                "decisions": pack.store(np.packbits(active, axis=1).tobytes()),
                "logits": pack.store(np.ascontiguousarray(logits[::STRIDE], "<f4").tobytes()),
            }
        )
    facts = {"noiseSeed": NOISE_SEED, "noiseLevel": NOISE_LEVEL, "stride": STRIDE, "hashBytes": HASH_BYTES, "cases": cases}
    (OUT / "pipeline.bin").write_bytes(pack.bytes)
    (OUT / "pipeline.json").write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main()
