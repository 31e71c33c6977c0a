"""Pseudorandom values from seeds, for weights and inputs of tests. `src/util/uniform.ts` computes identical bits."""

from __future__ import annotations

import numpy as np


def uniform(seed: int, count: int) -> np.ndarray:
    """Return pseudorandom numbers: float32 multiples of 2^-23 in [-1, 1), with axes (value).

    Value `i` is a hash of `i` and `seed`.
    """
    with np.errstate(over="ignore"):
        x = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B1) + np.uint32(seed) * np.uint32(0x85EBCA77)
        for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
            x = (x ^ (x >> np.uint32(shift))) * np.uint32(factor)
        x ^= x >> np.uint32(16)
    # 24 bits, which float32 represents exactly.
    return ((x >> np.uint32(8)).astype(np.float32) / np.float32(2**23)) - np.float32(1)
