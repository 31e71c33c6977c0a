"""Writes plda.bin and manifest.json from the crate diaric 0.2.0, which carries community-1's PLDA arrays.

Needs numpy and scipy, and the crate's file as its registry serves it. Any project that depends on `diaric = "=0.2.0"`
has it after `cargo fetch`, in `registry/cache/` of cargo's home:

    python convert.py diaric-0.2.0.crate

pyannote.audio 4.0.7 solves a generalized eigenvalue problem at load (`vbx_setup` in `utils/vbx.py`), whose
eigenvectors' signs depend on the LAPACK at hand. The crate carries them as community-1's captures have them; here
they are checked against scipy up to sign, and written, so that nothing has to be solved in the browser.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tarfile
from pathlib import Path

import numpy as np
from scipy.linalg import eigh

CRATE = "diaric-0.2.0"
CRATE_SHA256 = "99cf7e3c1a3a6db84e3110c977674ec4e937f54fa3665e75aa8cbb8512d313a0"
DTYPE = np.dtype("<f8")

EMBEDDING_SIZE = 256
LATENT_SIZE = 128

# Conditioning of the two matrices costs about four digits.
EIGEN_TOLERANCE = 1e-9

ORIGIN_REVISION = "3533c8cf8e369892e6b79ff1bf80f7b0286a54ee"


def read_crate(path: Path) -> dict[str, np.ndarray]:
    """The crate's PLDA arrays by name, float64, after its hash was checked."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != CRATE_SHA256:
        raise SystemExit(f"{path} has SHA-256 {digest}, expected {CRATE_SHA256}")
    shapes = {
        "mean1": (EMBEDDING_SIZE,),
        "lda": (EMBEDDING_SIZE, LATENT_SIZE),
        "mean2": (LATENT_SIZE,),
        "mu": (LATENT_SIZE,),
        "tr": (LATENT_SIZE, LATENT_SIZE),
        "psi": (LATENT_SIZE,),
        "eigenvectors_desc": (LATENT_SIZE, LATENT_SIZE),
        "phi_desc": (LATENT_SIZE,),
    }
    with tarfile.open(path) as crate:
        return {
            name: np.frombuffer(crate.extractfile(f"{CRATE}/models/plda/{name}.bin").read(), DTYPE).reshape(shape)
            for name, shape in shapes.items()
        }


def check_eigenvectors(crate: dict[str, np.ndarray]) -> None:
    """Solves the eigenvalue problem as pyannote does, and compares up to the sign of each eigenvector."""
    tr, psi = crate["tr"], crate["psi"]
    within = np.linalg.inv(tr.T @ tr)
    between = np.linalg.inv((tr.T / psi) @ tr)
    values, vectors = eigh(between, within)
    values, vectors = values[::-1], vectors[:, ::-1]
    signs = np.sign(np.sum(vectors * crate["eigenvectors_desc"], axis=0))
    if not np.allclose(values, crate["phi_desc"], rtol=EIGEN_TOLERANCE, atol=EIGEN_TOLERANCE):
        raise SystemExit("phi_desc is not what scipy gives")
    if not np.allclose(vectors * signs, crate["eigenvectors_desc"], rtol=0, atol=EIGEN_TOLERANCE):
        raise SystemExit("eigenvectors_desc is not what scipy gives")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("crate", type=Path)
    crate = read_crate(parser.parse_args().crate)
    check_eigenvectors(crate)
    arrays = [
        ("embeddingMean", ["embedding"], crate["mean1"]),
        ("discriminant", ["embedding", "discriminant"], crate["lda"]),
        ("discriminantMean", ["discriminant"], crate["mean2"]),
        ("latentMean", ["discriminant"], crate["mu"]),
        ("latent", ["discriminant", "latent"], crate["eigenvectors_desc"]),
        ("betweenCovariance", ["latent"], crate["phi_desc"]),
    ]
    content = b"".join(np.ascontiguousarray(values, DTYPE).tobytes() for _, _, values in arrays)
    folder = Path(__file__).parent
    (folder / "plda.bin").write_bytes(content)
    manifest = {
        "id": folder.name,
        "task": "plda",
        "file": {"name": "plda.bin", "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()},
        "license": "CC-BY-4.0",
        "attribution": "PLDA model trained by BUT Speech@FIT; integration of VBx in pyannote.audio by Jiangyu Han and "
        "Petr Pálka",
        "origin": {
            "package": f"{CRATE.replace('-', '==')} (crate)",
            "path": "models/plda",
            "sha256": CRATE_SHA256,
            "url": "https://huggingface.co/pyannote/speaker-diarization-community-1",
            "revision": ORIGIN_REVISION,
        },
        "embeddingSize": EMBEDDING_SIZE,
        "latentSize": LATENT_SIZE,
        "dtype": "float64",
        # In the order of the file, without gaps: little-endian, row-major.
        "arrays": [{"name": name, "axes": axes, "shape": list(values.shape)} for name, axes, values in arrays],
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False)
    (folder / "manifest.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
