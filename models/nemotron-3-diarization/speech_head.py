"""Train a head that finds speech, and write test/nemotron/speech_head.f16.

    python models/nemotron-3-diarization/speech_head.py CORPUS [--layers 4]

CORPUS is the folder of the evaluation corpus: `make.py` and `speech/<speaker>/<utterance>.flac` from LibriSpeech (CC BY 4.0).
Requires requirements.txt, scipy and soundfile.

Logits of random weights change their sign in every second frame, so most of their decisions are near ties, and a model of
random weights has no turns that could be counted. Here the encoder keeps the weights of `seeded.py`, and only the head is
trained: the projection, the hidden layer of the classifier and its first output, which is positive in speech. Their
other channels are zero, and the other outputs are `SILENT`. The upsampler is a quadratic B-spline through encoder frames. The
tests use other people than those of the training.

The file has float16 values: projection (hidden, encoder channel) and bias, hidden layer (hidden, hidden) and bias, output
(hidden) and bias.
"""

from __future__ import annotations

import argparse
import importlib.util
import tempfile
from pathlib import Path

import numpy as np
import soundfile
import torch
from seeded import seeded_model
from transformers.models.nemotron_asr_streaming.feature_extraction_nemotron_asr_streaming import (
    NemotronAsrStreamingFeatureExtractor,
)

OUT = Path(__file__).resolve().parents[2] / "test/nemotron/speech_head.f16"

RATE = 16_000
HOP_SECONDS = 0.01
HIDDEN = 32
UPSAMPLING = 8
# Encoder frames that the encoder sees at once: between those of a first and of a full offline step.
CHUNK_FRAMES = 512

MINUTES = 10
PEOPLE = 24
# Signal-to-noise ratios of the conversations in dB; None without noise.
NOISE = (None, None, 20)
SEED = 31
EPOCHS = 15
RATE_OF_LEARNING = 3e-3
WEIGHT_DECAY = 0.1
# Noise on the encoder's outputs, as a multiple of their spread: without much of it, the head learns the people of the training by
# heart, and finds twice as many turns as there are in a conversation of others.
JITTER = 2.0


def conversations(corpus: Path, folder: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return samples at 16 kHz and whether anyone speaks, axes (mel frame), of conversations of people with one utterance."""
    spec = importlib.util.spec_from_file_location("make", corpus / "make.py")
    assert spec and spec.loader
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)
    people = sorted(path.name for path in (corpus / "speech").iterdir() if len(list(path.glob("*.flac"))) == 1)
    result = []
    for index, snr_db in enumerate(NOISE):
        name = f"train{index}"
        chosen = people[index * PEOPLE : (index + 1) * PEOPLE]
        make.make(corpus / "speech", folder, name, chosen, MINUTES, SEED + index, snr_db=snr_db)
        samples, rate = soundfile.read(folder / f"{name}.wav", dtype="float32")
        assert rate == RATE
        active = np.zeros(round(MINUTES * 60 / HOP_SECONDS) + 1, dtype=np.float32)
        for line in (folder / f"{name}.rttm").read_text().splitlines():
            start, seconds = map(float, line.split()[3:5])
            active[round(start / HOP_SECONDS) : round((start + seconds) / HOP_SECONDS)] = 1
        result.append((samples, active))
    return result


class Head(torch.nn.Module):
    """The trained part of the head, for encoder frames; axes (encoder frame, channel)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.proj = torch.nn.Linear(channels, HIDDEN)
        self.dense = torch.nn.Linear(HIDDEN, HIDDEN)
        self.out = torch.nn.Linear(HIDDEN, 1)

    def forward(self, encoded: torch.Tensor) -> torch.Tensor:
        hidden = upsampled(self.proj(encoded))
        return self.out(torch.relu(self.dense(torch.relu(hidden))))[:, 0]


def upsampled(x: torch.Tensor) -> torch.Tensor:
    """Return a quadratic B-spline of the encoder frames; zeros precede and follow, as in the convolution of the class."""
    padded = torch.nn.functional.pad(x, (0, 0, 1, 1))
    shift = ((torch.arange(UPSAMPLING) + 0.5) / UPSAMPLING - 0.5)[None, :, None]
    before, here, after = padded[:-2, None], padded[1:-1, None], padded[2:, None]
    return (before * (0.5 - shift) ** 2 / 2 + here * (0.75 - shift**2) + after * (0.5 + shift) ** 2 / 2).flatten(0, 1)


@torch.no_grad()
def encoded_chunks(corpus: Path, layers: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Return outputs of the seeded encoder and the labels of their mel frames."""
    model = seeded_model(layers)
    extractor = NemotronAsrStreamingFeatureExtractor(feature_size=model.config.audio_config.num_mel_bins)
    chunks = []
    with tempfile.TemporaryDirectory() as folder:
        recordings = conversations(corpus, Path(folder))
    for samples, active in recordings:
        values = extractor(samples, sampling_rate=RATE, return_tensors="pt")["input_features"][0]
        for start in range(0, len(values) - CHUNK_FRAMES * UPSAMPLING + 1, CHUNK_FRAMES * UPSAMPLING):
            frames = slice(start, start + CHUNK_FRAMES * UPSAMPLING)
            stacked = model.model.audio_tower.embedder(values[None, frames])
            encoded = model.model.audio_tower(inputs_embeds=stacked).last_hidden_state[0]
            chunks.append((encoded.clone(), torch.from_numpy(active[frames])))
    return chunks


def train(chunks: list[tuple[torch.Tensor, torch.Tensor]]) -> Head:
    torch.manual_seed(SEED)
    head = Head(chunks[0][0].shape[1])
    spread = torch.cat([encoded for encoded, _ in chunks]).std(0)
    optimizer = torch.optim.AdamW(head.parameters(), RATE_OF_LEARNING, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)
    for epoch in range(EPOCHS):
        wrong = total = 0
        for index in torch.randperm(len(chunks)).tolist():
            encoded, labels = chunks[index]
            logits = head(encoded + JITTER * spread * torch.randn_like(encoded))
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            wrong += int(((logits > 0) != (labels > 0.5)).sum())
            total += len(labels)
        schedule.step()
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1}: {100 * wrong / total:.2f} % of frames wrong")
    return head


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path, help="folder with make.py and speech")
    parser.add_argument("--layers", type=int, default=4, help="layers of the encoder (default: 4)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    head = train(encoded_chunks(arguments.corpus, arguments.layers))
    parts = [part.detach().numpy().ravel() for layer in (head.proj, head.dense, head.out) for part in (layer.weight, layer.bias)]
    OUT.write_bytes(np.concatenate(parts).astype("<f2").tobytes())


if __name__ == "__main__":
    main()
