"""Generate types of conversations that the evaluation corpus lacks, with the generator of the corpus.

    python bench/corpus/make.py GENERATOR OUT_DIR

GENERATOR is the folder with `make.py` and `speech`. `conversations.json` in the folder of this script contains the
arguments for the generator, and optional `interjections`, which add a speaker with utterances of less than a second. A
speaker listed n times speaks n times as often. The output is deterministic. Requires numpy, scipy and soundfile.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import soundfile

HERE = Path(__file__).resolve().parent
# Minimum distance between the starts of interjections, in seconds.
APART = 3.0


def load_generator(folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("make", folder / "make.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def words_of(make: ModuleType, folder: Path, seconds: tuple[float, float], rng: np.random.Generator, count: int) -> list[np.ndarray]:
    """Return `count` excerpts, each from the start of a random speech segment of the speaker's utterances."""
    files = sorted(folder.glob("*.flac"))
    words = []
    for index in range(count):
        x, rate = soundfile.read(files[index % len(files)])
        x = x / np.abs(x).max() * 0.5
        segments = [(a, b) for a, b in make.speech_segments(x) if b - a >= seconds[0]]
        start, end = segments[int(rng.integers(len(segments)))]
        length = min(end - start, rng.uniform(*seconds))
        words.append(x[int(start * rate) : int((start + length) * rate)])
    return words


def add_interjections(make: ModuleType, speech: Path, out: Path, name: str, seed: int, speaker: str, count: int, seconds: tuple[float, float]) -> None:
    rng = np.random.default_rng([seed, 1])
    x, rate = soundfile.read(out / f"{name}.wav")
    words = words_of(make, speech / speaker, seconds, rng, count)
    places = np.sort(rng.uniform(2, len(x) / rate - 3, 20 * count))
    lines = (out / f"{name}.rttm").read_text().splitlines()
    chosen = []
    for place in rng.permutation(places):
        if all(abs(place - other) >= APART for other in chosen):
            chosen.append(float(place))
        if len(chosen) == count:
            break
    for place, word in zip(sorted(chosen), words):
        at = int(place * rate)
        x[at : at + len(word)] += word
        lines.append(f"SPEAKER {name} 1 {place:.3f} {len(word) / rate:.3f} <NA> <NA> s{speaker} <NA> <NA>")
    soundfile.write(out / f"{name}.wav", x / np.abs(x).max() * 0.7, rate, subtype="PCM_16")
    lines.sort(key=lambda line: float(line.split()[3]))
    (out / f"{name}.rttm").write_text("".join(f"{line}\n" for line in lines))


def main(generator: Path, out: Path) -> None:
    make = load_generator(generator)
    for entry in json.loads((HERE / "conversations.json").read_text()):
        interjections = entry.pop("interjections", None)
        make.make(generator / "speech", out, **entry)
        if interjections:
            add_interjections(make, generator / "speech", out, entry["name"], entry["seed"], **interjections)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
