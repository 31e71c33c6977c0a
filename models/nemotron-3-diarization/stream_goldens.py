"""Write src/sortformer/fixtures/stream.json: the states of the reference's own loop over ten minutes, step by step.

    pip install torch==2.11.0 transformers==5.24.0 numpy==2.4.6
    python models/nemotron-3-diarization/stream_goldens.py

The loop, the speaker cache and the processor are those of the reference. Only the network is replaced, by a stub in integer
arithmetic that test/sortformer/stubNetwork.ts repeats exactly: its logits depend on every embedding that a step reads and
on their order, so an error in the state changes all later logits. The features come from the same generator on both sides.

Sigmoid and logarithm of PyTorch differ between processors in the last bit. The script selects PyTorch's portable code, and
checks that it rounds the sigmoid of every possible logit as our code does.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ["ATEN_CPU_CAPABILITY"] = "default"

import numpy as np
import torch
import transformers
from streaming import streaming_facts
from torch import nn
from transformers import (
    Nemotron3DiarizationConfig,
    Nemotron3DiarizationForAudioFrameClassification,
    Nemotron3DiarizationProcessor,
)
from transformers.modeling_outputs import BaseModelOutput
from transformers.models.nemotron3_diarization import modeling_nemotron3_diarization as reference

OUT = Path(__file__).resolve().parents[2] / "src/sortformer/fixtures/stream.json"

NUM_SPEAKERS = 8
FACTOR = 8
# A level for each speaker, and the number of the frame.
NUM_BINS = 9
HIDDEN = FACTOR * NUM_BINS
# Logits are multiples of 1 / SCALE.
SCALE = 64
MASK = 0xFFFFFFFF

# Ten minutes. Offline, the number is a multiple of 8, so the added frame of zeros is an encoder frame of padding.
OFFLINE_FRAMES = 60_000
STREAMING_FRAMES = 59_997

# Levels of features, in units of 1 / SCALE. Even values get no noise from the stub, so equal frames have equal scores.
QUIET, LOUD = -320, 320
# Greatest possible level, with all noise.
LIMIT = 640


class Generator:
    """The linear congruential generator of Numerical Recipes; 16 bits per number."""

    def __init__(self, seed: int) -> None:
        self.state = seed

    def next(self, bound: int) -> int:
        self.state = (self.state * 1_664_525 + 1_013_904_223) & MASK
        return (self.state >> 16) % bound


def make_features(num_frames: int, seed: int) -> np.ndarray:
    """Return levels of eight speakers who arrive one after another; axes (mel frame, mel), integers in float32.

    Passages take turns: in some, all values are noisy, in others, all frames of a speaker are equal. The last bin is the
    number of the frame, from 1: it tells equal frames apart, and does not change the logits.
    """
    random = Generator(seed)
    levels = np.zeros((num_frames, NUM_BINS), np.float32)
    levels[:, NUM_SPEAKERS] = np.arange(num_frames) + 1
    active, left, noisy = [0], 0, True
    for frame in range(num_frames):
        if left == 0:
            arrived = min(NUM_SPEAKERS, 1 + frame * 10 // num_frames)
            count = (0, 1, 1, 1, 1, 1, 1, 2, 2, 3)[random.next(10)]
            active = [random.next(arrived) for _ in range(count)]
            left = 20 + random.next(500)
            noisy = random.next(10) < 6
        left -= 1
        for speaker in range(NUM_SPEAKERS):
            level = LOUD if speaker in active else QUIET
            if noisy:
                level = level * 5 // 4 + random.next(401) - 200
            levels[frame, speaker] = level
    return levels


class Encoder(nn.Module):
    """Replaces the model without its head: adds noise to odd levels, from a hash of all embeddings of the step.

    In a mel frame of zeros, the last speaker talks, so padding that is not masked changes the state.
    """

    def __init__(self, audio_tower: nn.Module) -> None:
        super().__init__()
        self.audio_tower = audio_tower

    def forward(self, inputs_embeds: torch.Tensor, attention_mask: torch.Tensor | None, **_: Any) -> BaseModelOutput:
        values = inputs_embeds[0].numpy().astype(np.int64)
        valid = np.ones(len(values), bool) if attention_mask is None else attention_mask[0].numpy()
        places = np.arange(values.size, dtype=np.int64).reshape(values.shape)
        weights = (places * 2_654_435_761 + 12_345) & MASK
        context = int(((values + 1) * weights)[valid].sum()) & MASK
        mixed = ((places * 0x9E3779B1) & MASK) ^ context
        # Halves, because the product of two 32-bit numbers exceeds the range of int64.
        hashes = (mixed * 0xEB_CA6B + (((mixed * 0x85) & 0xFF) << 24)) & MASK
        noise = (hashes >> 26) - 32
        levels = np.where(values % 2 == 0, values, values + noise).reshape(-1, NUM_BINS)[:, :NUM_SPEAKERS]
        padding = np.array([QUIET] * (NUM_SPEAKERS - 1) + [LOUD])
        levels = np.where(levels == 0, padding, levels)
        logits = torch.from_numpy(levels.astype(np.float32) / SCALE)
        return BaseModelOutput(last_hidden_state=logits.reshape(1, -1, NUM_SPEAKERS))


def make_model() -> Nemotron3DiarizationForAudioFrameClassification:
    """Return the reference class with its real loop and constants, small sizes, and the stub as its network."""
    config = Nemotron3DiarizationConfig(
        audio_config={
            "hidden_size": HIDDEN,
            "intermediate_size": 8,
            "num_hidden_layers": 1,
            "num_attention_heads": 1,
            "num_mel_bins": NUM_BINS,
        },
        head_config={"audio_hidden_size": HIDDEN, "hidden_size": 8},
    )
    model = Nemotron3DiarizationForAudioFrameClassification(config).eval()
    with torch.no_grad():
        model.model.audio_tower.embedder.projection.weight.copy_(torch.eye(HIDDEN))
        model.silence_embeds.copy_(torch.arange(HIDDEN) * 2.0 - 401.0)
    model.model = Encoder(model.model.audio_tower)
    model.classifier = nn.Identity()
    return model


class Recorder:
    """Records the state of the speaker cache and the returned logits of each step."""

    def __init__(self) -> None:
        self.digests = b""
        self.compressions: list[list[int]] = []
        self.sizes: list[list[int]] = []
        self.num_compressions = 0

    def step(self, cache: Any, compressed: bool) -> None:
        counts = [cache.num_cache_frames, cache.num_fifo_frames, int(cache.is_compressed)]
        embeds = cache.embeds[0, : counts[0]].numpy()
        probs = cache.probs[0, : counts[0]].numpy()
        fifo = cache.fifo[0, : counts[1]].numpy()
        state = np.array(counts, "<i4").tobytes() + embeds.tobytes() + probs.tobytes() + fifo.tobytes()
        self.digests += hashlib.sha256(state).digest()[:4]
        if len(self.sizes) < 40:
            self.sizes.append(counts)
        if compressed:
            self.num_compressions += 1
            if self.num_compressions in (1, 2, 10):
                # The number in the first of the mel frames; negative in the silence embedding.
                numbers = embeds[:, NUM_SPEAKERS].astype(int)
                self.compressions.append([(number - 1) // FACTOR if number > 0 else -1 for number in numbers.tolist()])


def record(model: Any, features: np.ndarray, run: Callable[[], torch.Tensor]) -> dict[str, Any]:
    """Run `run`, which calls the model, and return what its cache contained after each step."""
    recorder = Recorder()
    kind = reference.Nemotron3DiarizationSpeakerCache
    update, compress = kind.update, kind._compress
    calls = {"compressed": False}

    def recorded_compress(self: Any, *args: Any) -> Any:
        calls["compressed"] = True
        return compress(self, *args)

    def recorded_update(self: Any, *args: Any, **kwargs: Any) -> None:
        calls["compressed"] = False
        update(self, *args, **kwargs)
        recorder.step(self, calls["compressed"])

    kind.update, kind._compress = recorded_update, recorded_compress
    try:
        with torch.inference_mode():
            logits = run()[0, : len(features)].numpy()
    finally:
        kind.update, kind._compress = update, compress
    assert len(logits) == len(features)
    return {
        "numFrames": len(features),
        "numSteps": len(recorder.digests) // 4,
        "numCompressions": recorder.num_compressions,
        # First four bytes of the SHA-256 of each state.
        "states": base64.b64encode(recorder.digests).decode(),
        # Frames in the cache, the FIFO, and whether it is compressed, after each of the first steps.
        "firstSizes": recorder.sizes,
        # Encoder frames in the cache after the first, second and tenth compression; -1 is silence.
        "caches": recorder.compressions,
        "logitsSha256": hashlib.sha256(np.ascontiguousarray(logits).tobytes()).hexdigest(),
        "activeFrames": [int(count) for count in (torch.from_numpy(logits).sigmoid() > 0.5).sum(0)],
    }


def offline(model: Any, features: np.ndarray) -> torch.Tensor:
    """The call of the reference for a whole recording: the processor adds a frame of zeros and masks it."""
    padded = np.concatenate([features, np.zeros((1, NUM_BINS), np.float32)])
    mask = torch.ones(1, len(padded), dtype=torch.bool)
    mask[0, -1] = False
    return model(input_features=torch.from_numpy(padded)[None], attention_mask=mask).logits


def streaming(model: Any, features: np.ndarray, chunk: int, look_ahead: int) -> torch.Tensor:
    """The calls of the reference for a stream: the last chunk is what remains if no whole chunk with look-ahead does."""
    cache, logits, start = None, [], 0
    size = (chunk + look_ahead) * FACTOR
    while start + size <= len(features):
        part = torch.from_numpy(features[start : start + size])[None]
        mask = torch.ones(1, size, dtype=torch.bool)
        output = model(input_features=part, attention_mask=mask, speaker_cache=cache, num_lookahead_frames=look_ahead)
        cache = output.speaker_cache
        logits.append(output.logits)
        start += chunk * FACTOR
    part = torch.from_numpy(features[start:])[None]
    mask = torch.ones(part.shape[:2], dtype=torch.bool)
    logits.append(model(input_features=part, attention_mask=mask, speaker_cache=cache).logits)
    return torch.cat(logits, dim=1)


def topk_cases() -> Iterator[tuple[list[int], int]]:
    """Yield lists with many equal values and numbers of values to select, for quickselect and for the partial sort."""
    random = Generator(7)
    for case in range(300):
        length = 1 + random.next(1600 if case % 3 == 0 else 300)
        kinds = 1 + random.next((2, 5, 40, 1000)[case % 4])
        k = 1 + random.next(max(1, length // 64) if case % 3 == 0 else length)
        yield [random.next(kinds) for _ in range(length)], k
    # Each pivot of the quickselect is bad, so it falls back to a heap. The values at the limit are equal in threes.
    high = [value for step in range(12) for value in (76 - step, 99 - 2 * step)]
    middle = [*range(64, 38, -1), *range(100, 76, -2)]
    for k in range(65, 96):
        yield [*high, *middle, *(value // 3 for value in range(38, 0, -1))], k


def topk_digests() -> str:
    """Return two bytes for each case: the start of the SHA-256 of the positions in ascending order."""
    digests = b""
    for values, k in topk_cases():
        # Zero stands for no speech.
        row = torch.tensor(values, dtype=torch.float32)
        row[row == 0] = float("-inf")
        positions = torch.topk(row, k, sorted=False).indices.sort().values
        digests += hashlib.sha256(positions.numpy().astype("<i4").tobytes()).digest()[:2]
    return base64.b64encode(digests).decode()


def score_cases(config: Nemotron3DiarizationConfig) -> dict[str, Any]:
    """Return probabilities in units of 1 / 4096, and digests of the scores of frames that are made of them.

    Only probabilities whose logarithms PyTorch rounds correctly are used. The others differ between processors.
    """
    units = np.arange(1, 4096)
    bounded = np.maximum(np.stack([units, 4096 - units]) / 4096, 0.25).astype(np.float32)
    exact = np.log(bounded.astype(np.float64)).astype(np.float32)
    usable = units[(torch.log(torch.from_numpy(bounded)).numpy() == exact).all(0)]
    usable = np.concatenate([usable[usable < 2000][::16], usable[usable > 2000][::4]])
    random = Generator(3)
    cache = reference.Nemotron3DiarizationSpeakerCache(config.streaming_config)
    digests = b""
    for num_frames in (265, 300, 450, 604):
        table = [[int(usable[random.next(len(usable))]) for _ in range(NUM_SPEAKERS)] for _ in range(num_frames)]
        # Mostly one speaker: without this, too few scores would be positive.
        for row in table:
            for speaker in range(NUM_SPEAKERS):
                if random.next(8) > 1:
                    row[speaker] = int(usable[random.next(20)])
        scores = cache._get_frame_scores(torch.tensor([table], dtype=torch.float32) / 4096)
        scores[:, cache.speaker_cache_length :] += cache.latest_frames_score_boost
        scores = cache._boost_scores(scores, cache.num_strong_boosted_frames, boost=-2.0 * np.log(0.5))
        scores = cache._boost_scores(scores, cache.num_weak_boosted_frames, boost=-np.log(0.5))
        digests += hashlib.sha256(scores[0].T.contiguous().numpy().tobytes()).digest()[:4]
    return {"probabilities": usable.tolist(), "digests": base64.b64encode(digests).decode()}


def segment_case(processor: Nemotron3DiarizationProcessor) -> list[list[float]]:
    """Return the segments of 1,500 frames: start and end in seconds, and speaker."""
    random = Generator(5)
    levels = np.zeros((1500, NUM_SPEAKERS), np.float32)
    for speaker in range(NUM_SPEAKERS):
        frame = 0
        while frame < len(levels):
            length = 1 + random.next((3, 40, 400)[random.next(3)])
            levels[frame : frame + length, speaker] = (random.next(641) - 320) / SCALE
            frame += length
    [segments] = processor.extract_speaker_dict(torch.from_numpy(levels)[None])
    return [[segment["Start"], segment["End"], segment["Speaker"]] for segment in segments]


def chunk_lengths(processor: Nemotron3DiarizationProcessor, num_samples: int) -> list[int]:
    """Return the mel frames that the processor returns for each chunk of a stream, called as in its documentation."""
    audio = np.zeros(num_samples, np.float32)

    def frames(part: np.ndarray, **kinds: bool) -> int:
        return processor(part, sampling_rate=16_000, is_streaming=True, **kinds)["input_features"].shape[1]

    first = processor.num_samples_first_audio_chunk
    if num_samples < first:
        return [frames(audio, is_first_audio_chunk=True, is_last_audio_chunk=True)]
    lengths = [frames(audio[:first], is_first_audio_chunk=True)]
    frame = processor.num_mel_frames_per_step
    start = processor.audio_chunk_start(frame)
    while (end := start + processor.num_samples_per_audio_chunk) <= num_samples:
        lengths.append(frames(audio[start:end], is_first_audio_chunk=False))
        frame += processor.num_mel_frames_per_step
        start = processor.audio_chunk_start(frame)
    lengths.append(frames(audio[start:], is_first_audio_chunk=False, is_last_audio_chunk=True))
    return lengths


def schedules(processor: Nemotron3DiarizationProcessor) -> list[dict[str, Any]]:
    """Return the chunks of recordings whose length is at, or next to, a boundary."""
    cases = []
    for mode in processor.streaming_modes:
        processor.set_streaming_mode(mode)
        first, later = processor.num_samples_first_audio_chunk, processor.num_samples_per_audio_chunk
        second = processor.audio_chunk_start(processor.num_mel_frames_per_step) + later
        third = processor.audio_chunk_start(2 * processor.num_mel_frames_per_step) + later
        edges = [edge + offset for edge in (first, second, third) for offset in (-1, 0, 1, 103, 104)]
        cases += [
            {"mode": mode, "numSamples": count, "melFrames": chunk_lengths(processor, count)}
            for count in [400, 1000, 1600, *edges, 50_000]
        ]
    return cases


def check_arithmetic() -> None:
    """Stop if PyTorch rounds the sigmoid of a logit, or a logarithm that decides ties, differently from our code."""
    logits = (np.arange(-LIMIT, LIMIT + 1) / SCALE).astype(np.float32)
    one = np.float32(1)
    ours = one / (one + np.exp(-logits.astype(np.float64)).astype(np.float32))
    assert np.array_equal(torch.sigmoid(torch.from_numpy(logits)).numpy(), ours), "sigmoid"
    for level in (QUIET, LOUD):
        pooled = np.float32(0)
        for _ in range(FACTOR):
            pooled = np.float32(pooled + ours[level + LIMIT])
        pooled = np.float32(pooled / FACTOR)
        for value in (pooled, one - pooled):
            bounded = np.maximum(value, np.float32(0.25))
            log = torch.log(torch.tensor([bounded])).numpy()[0]
            assert log == np.float32(np.log(np.float64(bounded))), f"logarithm of {bounded}"


def main() -> None:
    torch.set_num_threads(1)
    check_arithmetic()
    model = make_model()
    extractor = transformers.NemotronAsrStreamingFeatureExtractor(feature_size=128)
    processor = Nemotron3DiarizationProcessor(extractor)
    modes: dict[str, Any] = {}
    features = make_features(OFFLINE_FRAMES, 1)
    modes["offline"] = record(model, features, lambda: offline(model, features))
    settings = streaming_facts(model.config)
    features_of_streams = features[:STREAMING_FRAMES]
    for name, sizes in settings["streaming"]["modes"].items():
        chunk, look_ahead = sizes["chunkFrames"], sizes["lookAheadFrames"]
        modes[name] = record(
            model, features_of_streams, lambda c=chunk, a=look_ahead: streaming(model, features_of_streams, c, a)
        )
        print(name, modes[name]["numSteps"], "steps", modes[name]["numCompressions"], "compressions")
    golden = {
        "reference": f"transformers {transformers.__version__}, torch {torch.__version__.split('+')[0]}",
        "settings": settings,
        "featuresSha256": hashlib.sha256(features.tobytes()).hexdigest(),
        "modes": modes,
        "topk": topk_digests(),
        "scores": score_cases(model.config),
        "segments": segment_case(processor),
        "schedules": schedules(processor),
    }
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
    print(OUT, OUT.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
