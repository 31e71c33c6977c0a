"""Writes python.safetensors, a file of the reference implementation for the tests: pip install safetensors torch."""

from pathlib import Path

import torch
from safetensors.torch import save_file

save_file(
    {
        "layers.0.weight": torch.arange(12, dtype=torch.float32).reshape(3, 4) / 8 - 0.5,
        "layers.0.bias": torch.tensor([1.0, -2.0, 3.0]),
        "silence": torch.tensor(0.25),
        "half": torch.tensor([[1.0, -2.0], [0.5, 65504.0]], dtype=torch.float16),
        "counts": torch.tensor([-128, -1, 0, 1, 127], dtype=torch.int8),
    },
    Path(__file__).with_name("python.safetensors"),
    metadata={"format": "pt"},
)
