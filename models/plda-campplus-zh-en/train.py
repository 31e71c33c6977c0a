"""Train the PLDA for speaker embeddings of CAM++, and write plda.bin and manifest.json.

    pip install numpy==2.4.6 scipy soundfile onnxruntime kaldi-native-fbank
    python models/plda-campplus-zh-en/train.py CORPUS

CORPUS is the folder of the evaluation corpus: `speech/<speaker>/<utterance>.flac` from LibriSpeech (CC BY 4.0),
`make.py` with simulated rooms and noise, and `conversations.json`. Speakers who appear in these conversations or have
several utterances are excluded. Every second of the other speakers is used for training, and the rest for verification:
the clustering settings were chosen with this PLDA on conversations of the training speakers, and verified on
conversations of the other half.

Each utterance is cut into excerpts of 1 to 6 s: clean, in a room with noise, over a telephone, or with noise. The PLDA
is the two-covariance model (Brümmer and de Villiers 2010) on centered, length-normalized embeddings (Garcia-Romero and
Espy-Wilson 2011). With clean excerpts only, the DER on the twelve conversations of the corpus was 42 % instead of 28 %.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
from pathlib import Path
from types import ModuleType

import kaldi_native_fbank
import numpy as np
import onnxruntime
import scipy.linalg
import soundfile
from scipy.signal import butter, fftconvolve, sosfilt

HERE = Path(__file__).resolve().parent
MODEL = HERE.parent / "campplus-zh-en"
RATE = 16_000
DTYPE = np.dtype("<f8")

SEED = 5
KINDS = ["clean"] * 6 + ["far"] * 7 + ["phone"] * 3 + ["noise"] * 2
PIECE_SECONDS = (1, 6)
# Signal-to-noise ratios, in dB.
FAR_SNR, PHONE_SNR, NOISE_SNR = (8, 25), (15, 30), (8, 25)

LATENT_SIZE = 128
# Weight of a scaled identity matrix in the within-speaker covariance, which has too few degrees of freedom.
SHRINKAGE = 0.05


def load_generator(corpus: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("make", corpus / "make.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def telephone(x: np.ndarray) -> np.ndarray:
    """Simulate a telephone line: 300 to 3400 Hz, 8-bit µ-law."""
    x = sosfilt(butter(6, [300, 3400], "bandpass", fs=RATE, output="sos"), x)
    x = np.sign(x) * np.log1p(255 * np.minimum(1, np.abs(x))) / np.log(256)
    x = np.round(x * 127) / 127
    return np.sign(x) * (256 ** np.abs(x) - 1) / 255


def disturbed(rng: np.random.Generator, x: np.ndarray, kind: str, make: ModuleType) -> np.ndarray:
    def with_noise(y: np.ndarray, snr: tuple[float, float]) -> np.ndarray:
        noise = make.noise(rng, len(y))
        return y + noise * np.sqrt(np.mean(y**2) / 10 ** (rng.uniform(*snr) / 10) / np.mean(noise**2))

    if kind == "far":
        return with_noise(fftconvolve(x, make.room_response(rng))[: len(x)], FAR_SNR)
    if kind == "phone":
        return telephone(with_noise(x, PHONE_SNR))
    if kind == "noise":
        return with_noise(x, NOISE_SNR)
    return x


class Embedder:
    """CAM++ with the features specified in its manifest."""

    def __init__(self) -> None:
        self.manifest = json.loads((MODEL / "manifest.json").read_text())
        file = MODEL / self.manifest["file"]["name"]
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        if digest != self.manifest["file"]["sha256"]:
            raise SystemExit(f"{file} has SHA-256 {digest}, expected {self.manifest['file']['sha256']}")
        self.session = onnxruntime.InferenceSession(str(file))

    def __call__(self, x: np.ndarray) -> np.ndarray:
        facts = self.manifest["fbank"]
        options = kaldi_native_fbank.FbankOptions()
        options.frame_opts.dither = facts["dither"]
        options.frame_opts.window_type = facts["windowType"]
        options.mel_opts.num_bins = facts["numMelBins"]
        fbank = kaldi_native_fbank.OnlineFbank(options)
        fbank.accept_waveform(RATE, (x * facts["sampleScale"]).astype(np.float32))
        fbank.input_finished()
        features = np.stack([fbank.get_frame(i) for i in range(fbank.num_frames_ready)])
        features = (features - features.mean(0))[None].astype(np.float32)
        return self.session.run(None, {self.manifest["input"]["name"]: features})[0][0]


def training_embeddings(corpus: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the embeddings (embedding, dimension), and the speaker of each embedding."""
    make, embed = load_generator(corpus), Embedder()
    used = {speaker for one in json.loads((corpus / "conversations.json").read_text()) for speaker in one["speakers"]}
    embeddings, labels = [], []
    folders = sorted((corpus / "speech").iterdir(), key=lambda path: int(path.name))
    free = [folder for folder in folders if folder.name not in used and len(list(folder.glob("*.flac"))) == 1]
    for folder in free[::2]:
        (file,) = folder.glob("*.flac")
        rng = np.random.default_rng([SEED, int(folder.name)])
        x, rate = soundfile.read(file)
        assert rate == RATE and x.ndim == 1, file
        x = x / np.abs(x).max() * 0.5
        for kind in KINDS:
            size = min(len(x), int(rng.uniform(*PIECE_SECONDS) * RATE))
            at = rng.integers(0, max(1, len(x) - size))
            embeddings.append(embed(disturbed(rng, x[at : at + size], kind, make)))
            labels.append(int(folder.name))
    return np.array(embeddings, float), np.array(labels)


def unit(x: np.ndarray) -> np.ndarray:
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def train(x: np.ndarray, labels: np.ndarray) -> dict[str, tuple[list[str], np.ndarray]]:
    """Return the arrays of the PLDA by name, with their axes."""
    mean = unit(x).mean(0)
    x = unit(unit(x) - mean) * np.sqrt(x.shape[1])
    normalized_mean = x.mean(0)
    x = x - normalized_mean
    speakers, index = np.unique(labels, return_inverse=True)
    means = np.stack([x[index == speaker].mean(0) for speaker in range(len(speakers))])
    deviations = x - means[index]
    within = deviations.T @ deviations / (len(x) - len(speakers))
    # Subtracts the variance of the mean over a speaker's embeddings.
    between = np.cov(means.T) - within * len(speakers) / len(x)
    size = len(within)
    within = (1 - SHRINKAGE) * within + SHRINKAGE * np.trace(within) / size * np.eye(size)
    variances, vectors = scipy.linalg.eigh(between + 1e-9 * np.eye(size), within)
    order = np.argsort(-variances)[:LATENT_SIZE]
    vectors = vectors[:, order]
    # Makes the entry with the greatest magnitude positive, because the sign of an eigenvector is arbitrary.
    vectors *= np.sign(vectors[np.abs(vectors).argmax(0), np.arange(LATENT_SIZE)])
    return {
        "embeddingMean": (["embedding"], mean),
        "normalizedMean": (["embedding"], normalized_mean),
        "latent": (["embedding", "latent"], vectors),
        "betweenCovariance": (["latent"], np.maximum(variances[order], 1e-6)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path)
    corpus = parser.parse_args().corpus
    embeddings, labels = training_embeddings(corpus)
    arrays = train(embeddings, labels)
    content = b"".join(np.ascontiguousarray(values, DTYPE).tobytes() for _, values in arrays.values())
    (HERE / "plda.bin").write_bytes(content)
    model = json.loads((MODEL / "manifest.json").read_text())
    manifest = {
        "id": HERE.name,
        "task": "plda",
        "form": "two-covariance",
        "file": {"name": "plda.bin", "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()},
        "license": "CC-BY-4.0",
        "attribution": "Statistics of speech from LibriSpeech (V. Panayotov, G. Chen, D. Povey, S. Khudanpur, 2015)",
        "training": {
            "script": "train.py",
            "corpus": "LibriSpeech train-clean-100, one utterance of each speaker, every second speaker",
            "speakers": len(np.unique(labels)),
            "embeddings": len(embeddings),
            "embeddingModel": model["file"]["sha256"],
        },
        "embeddingSize": embeddings.shape[1],
        "latentSize": LATENT_SIZE,
        "dtype": "float64",
        "arrays": [{"name": name, "axes": axes, "shape": list(values.shape)} for name, (axes, values) in arrays.items()],
    }
    (HERE / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    print(f"{len(embeddings)} embeddings of {len(np.unique(labels))} speakers, {len(content)} bytes")


if __name__ == "__main__":
    main()
