"""Tests of the bundle writer's command line. Run: python -m unittest discover models"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import unittest
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parent))

from golden_bundle import capture  # noqa: E402
from test_golden_bundle import INPUTS, nested, read  # noqa: E402

COMMAND = Path(__file__).resolve().parent / "golden_bundle.py"


class Vary(nn.Module):
    """Returns different values in each run, even in evaluation mode."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.dropout(self.layer(x))


class CommandTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def run_command(self, factory: str, *options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(COMMAND), factory, "--out", str(self.folder / "net.zip"), *options]
        # Runs in the folder of this file, so that its modules can be imported.
        return subprocess.run(command, cwd=COMMAND.parent, capture_output=True, text=True, check=False)

    def test_a_factory_with_an_input_of_each_kind(self) -> None:
        # In float64, NumPy's default.
        np.save(self.folder / "x.npy", INPUTS["x"].double().numpy())
        torch.save(nested().state_dict(), self.folder / "state.pt")
        done = self.run_command(
            "test_golden_bundle:Nested",
            *("--state", str(self.folder / "state.pt")),
            *("--random", "ids=1:5", "--input", f"x={self.folder / 'x.npy'}", "--seed", "3"),
            *("--stage", "logits=.@logits", "--stage", "conv=encoder.conv"),
            *("--axes", "logits=batch,frame,class", "--value", "logits=scores", "--tolerance", "logits=,0.5,0.9"),
            *("--max-abs", "0.25"),
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        manifest, arrays = read(self.folder / "net.zip")
        self.assertEqual((manifest["model"], manifest["tolerance"]), ("Nested", {"max_abs": 0.25, "cosine": 0.999}))
        self.assertEqual([stage["name"] for stage in manifest["stages"]], ["conv", "logits"])
        logits = manifest["stages"][1]
        self.assertEqual((logits["axes"], logits["value"]), (["batch", "frame", "class"], "scores"))
        self.assertEqual(logits["tolerance"], {"cosine": 0.5, "argmax_agreement": 0.9})
        self.assertEqual((manifest["source"]["seed"], manifest["source"]["factory"]), (3, "test_golden_bundle:Nested"))
        self.assertNotIn(str(self.folder), json.dumps(manifest))
        ids = torch.from_numpy(arrays["inputs/ids.npy"]).long()
        expected = capture(nested(), {"x": INPUTS["x"], "ids": ids}, {"logits": ".@logits"})
        np.testing.assert_array_equal(arrays["stages/logits.npy"], expected["logits"].numpy())

    def test_a_saved_module_and_torchscript(self) -> None:
        module = nn.Sequential(nn.Linear(3, 2), nn.ReLU()).eval()
        torch.save(module, self.folder / "net.pt")
        done = self.run_command(str(self.folder / "net.pt"), "--random", "x=1,3", "--all-leaves")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        manifest, saved = read(self.folder / "net.zip")
        self.assertEqual([stage["name"] for stage in manifest["stages"]], ["0", "1", "output"])
        self.assertEqual(len(manifest["source"]["checkpoint_sha256"]), 64)

        with warnings.catch_warnings():
            # TorchScript is deprecated, but its files still have to be ported.
            warnings.simplefilter("ignore", DeprecationWarning)
            torch.jit.save(torch.jit.script(module), self.folder / "net.ts")
        done = self.run_command(str(self.folder / "net.ts"), "--random", "x=1,3", "--stage", "output=.")
        self.assertEqual(done.returncode, 0, done.stderr)
        _, scripted = read(self.folder / "net.zip")
        np.testing.assert_array_equal(scripted["stages/output.npy"], saved["stages/output.npy"])
        done = self.run_command(str(self.folder / "net.ts"), "--random", "x=1,3", "--stage", "first=0")
        self.assertIn("hooks see nothing inside TorchScript", done.stderr)

    def test_what_cannot_be_a_bundle_is_told_in_one_line(self) -> None:
        torch.save(nested().state_dict(), self.folder / "state.pt")
        x = ("--random", "x=2,3")
        for factory, options, message in (
            ("test_golden_command:Vary", (*x, "--all-leaves"), "output differs between two runs"),
            ("test_golden_command:Vary", x, "say which stages"),
            ("test_golden_command:Missing", x, "has no factory Missing"),
            ("nowhere.pt", x, "no file, and no package.module:factory"),
            (str(self.folder / "state.pt"), x, "give a factory, and --state"),
            ("test_golden_command:Vary", ("--random", "x=2;3", "--all-leaves"), "is no shape"),
        ):
            done = self.run_command(factory, *options)
            with self.subTest(message):
                self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1), done.stderr)
                self.assertIn(message, done.stderr)
        self.assertFalse((self.folder / "net.zip").exists())


if __name__ == "__main__":
    unittest.main()
