"""Tests of the bundle writer on small modules. Run: python -m unittest discover models"""

from __future__ import annotations

import hashlib
import io
import json
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parent))

from golden_bundle import BundleError, capture, capture_leaves, write_bundle  # noqa: E402


class Nested(nn.Module):
    """Has two inputs (one with integers), an in-place ReLU that is called twice, an LSTM, and a function."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(5, 4)
        self.encoder = nn.ModuleDict({"conv": nn.Conv1d(3, 4, 3), "relu": nn.ReLU(inplace=True)})
        self.lstm = nn.LSTM(4, 6, batch_first=True)
        self.head = nn.Linear(6, 2)

    def forward(self, x: torch.Tensor, ids: torch.Tensor) -> dict[str, Any]:
        mixed = self.encoder["relu"](self.encoder["conv"](self.encoder["relu"](x)))
        y, _ = self.lstm(mixed.transpose(1, 2) + self.embed(input=ids).unsqueeze(1))
        return {"logits": self.head(torch.tanh(y)), "frames": (y.shape[1], y)}


def nested() -> Nested:
    torch.manual_seed(0)
    return Nested().eval()


class InPlace(nn.Module):
    """Modifies its input."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mul_(2)


INPUTS = {"x": torch.linspace(-1, 1, 30).reshape(1, 3, 10), "ids": torch.tensor([2])}


def read(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the manifest, and the arrays by file name."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        manifest = json.loads(archive.read("manifest.json"))
        arrays = {name: np.load(io.BytesIO(archive.read(name)), allow_pickle=False) for name in names[1:]}
    return manifest, arrays


class CaptureTest(unittest.TestCase):
    def test_taps_are_what_the_layers_give_in_the_order_of_computing(self) -> None:
        model = nested()
        stages = capture(
            model,
            INPUTS,
            {
                "logits": ".@logits",
                "activation": "head:input",
                "state": ("lstm", "output", "1.0"),
                "lstm": "lstm",
                "conv": ("encoder.conv", "output"),
            },
        )
        self.assertEqual(list(stages), ["conv", "state", "lstm", "activation", "logits"])
        with torch.no_grad():
            conv = model.encoder["conv"](INPUTS["x"].clamp(min=0))
            lstm, (hidden, _) = model.lstm(conv.clamp(min=0).transpose(1, 2) + model.embed(INPUTS["ids"]).unsqueeze(1))
            logits = model.head(lstm.tanh())
        expected = {"conv": conv, "state": hidden, "lstm": lstm, "activation": lstm.tanh(), "logits": logits}
        for name, tensor in expected.items():
            torch.testing.assert_close(stages[name], tensor, rtol=0, atol=0)
        # If the captured tensor had not been cloned, the in-place ReLU would have removed all negative values.
        self.assertLess(float(stages["conv"].min()), 0)

    def test_inputs_and_module_are_left_as_they_were(self) -> None:
        x = torch.ones(2)
        for inputs in ([x], {"x": x}):
            stages = capture(InPlace().eval(), inputs, {"twice": ".", "given": ".:input"})
            self.assertEqual((x.tolist(), stages["twice"].tolist(), stages["given"].tolist()), ([1, 1], [2, 2], [1, 1]))
        model = nested()
        capture(model, INPUTS, {"conv": "encoder.conv", "in": "head:input"})
        self.assertFalse(any(layer._forward_hooks or layer._forward_pre_hooks for layer in model.modules()))

    def test_one_run_of_several_is_chosen_by_its_number(self) -> None:
        stages = capture(nested(), INPUTS, {"second": "encoder.relu#2", "first": "encoder.relu#1"})
        torch.testing.assert_close(stages["first"], INPUTS["x"].clamp(min=0), rtol=0, atol=0)
        self.assertEqual(stages["second"].shape, (1, 4, 8))

    def test_an_input_given_by_keyword_is_seen(self) -> None:
        stages = capture(nested(), INPUTS, {"given": ".:input@ids", "passed_on": "embed:input@input"})
        self.assertEqual((stages["given"].tolist(), stages["passed_on"].tolist()), ([2], [2]))

    def test_attention_runs_its_modules_although_a_fused_kernel_exists(self) -> None:
        layer = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True).eval()
        stages = capture(layer, [torch.ones(1, 3, 4)], {"attention": "self_attn", "linear": "linear1"})
        self.assertEqual((stages["attention"].shape, stages["linear"].shape), ((1, 3, 4), (1, 3, 8)))

    def test_leaves_are_named_by_their_paths(self) -> None:
        self.assertEqual(
            list(capture_leaves(nested(), INPUTS)),
            [
                *("encoder.relu", "encoder.conv", "encoder.relu#2", "embed", "lstm", "lstm@1.0", "lstm@1.1", "head"),
                *("output", "output@frames.1"),
            ],
        )

    def test_a_module_called_output_does_not_replace_the_output(self) -> None:
        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.output = nn.Linear(3, 2)

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                return self.output(x) + 1

        x = torch.ones(1, 3)
        model = Net().eval()
        stages = capture_leaves(model, {"x": x})
        self.assertEqual(list(stages), ["output", "(output)"])
        torch.testing.assert_close(stages["(output)"], stages["output"] + 1)

    def test_a_tap_that_gives_nothing_says_what_to_do(self) -> None:
        model = nested()
        model.add_module("unused", nn.Linear(1, 1))
        for tap, message in (
            ("decoder", "no decoder, but .*encoder, lstm, head"),
            ("encoder.conv2", "no encoder.conv2, but encoder.conv, encoder.relu"),
            ("unused", "did not run"),
            ("encoder.relu", "ran 2 times"),
            ("encoder.relu#3", "ran 2 times, not 3"),
            ("lstm@2", "no item 2 in its output, but 0, 1.0, 1.1"),
            ("head@0", "no item 0 in its output, but one tensor"),
            ("lstm:both", "is no tap"),
        ):
            model.eval()
            with self.subTest(tap), self.assertRaisesRegex(BundleError, message):
                capture(model, INPUTS, {"stage": tap})

    def test_training_mode_is_refused(self) -> None:
        model = nested()
        model.encoder.train()
        with self.assertRaisesRegex(BundleError, "encoder is in training mode"):
            capture(model, INPUTS, {"lstm": "lstm"})


class WriteTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "new" / "net.zip"

    def write(self, stages: dict[str, torch.Tensor], **options: Any) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        write_bundle(self.path, model="net", inputs=INPUTS, stages=stages, **options)
        return read(self.path)

    def test_everything_given_is_in_the_manifest(self) -> None:
        manifest, arrays = self.write(
            {"lstm": torch.ones(1, 2), "logits": torch.zeros(3)},
            source={"framework": "by hand"},
            axes={"ids": ["batch"], "lstm": ("batch", "channel")},
            tolerance={"max_abs": 1, "cosine": 0},
            stage_tolerances={"logits": {"max_abs": 0.5}},
            values={"logits": "/head/Add_output_0"},
        )
        self.assertEqual(
            manifest,
            {
                "format": "golden-bundle",
                "version": 1,
                "model": "net",
                "source": {"framework": "by hand"},
                "inputs": [
                    {"name": "x", "file": "inputs/x.npy", "axes": ["axis0", "axis1", "axis2"]},
                    {"name": "ids", "file": "inputs/ids.npy", "axes": ["batch"]},
                ],
                "stages": [
                    {"name": "lstm", "file": "stages/lstm.npy", "axes": ["batch", "channel"]},
                    {
                        "name": "logits",
                        "file": "stages/logits.npy",
                        "axes": ["axis0"],
                        "value": "/head/Add_output_0",
                        "tolerance": {"max_abs": 0.5},
                    },
                ],
                "tolerance": {"max_abs": 1, "cosine": 0},
            },
        )
        np.testing.assert_array_equal(arrays["inputs/x.npy"], INPUTS["x"].numpy())

    def test_values_keep_their_type_in_c_order(self) -> None:
        stages = {
            "transposed": (torch.arange(6.0).reshape(2, 3).T, "<f4"),
            "double": (torch.tensor([0.1], dtype=torch.float64), "<f8"),
            "half": (torch.tensor([0.1], dtype=torch.float16), "<f2"),
            "bfloat": (torch.tensor([0.5], dtype=torch.bfloat16), "<f4"),
            "whole": (torch.tensor([-(2**24) - 1, 2**62 + 1]), "<i8"),
            "int8": (torch.tensor([-128], dtype=torch.int8), "|i1"),
            "bool": (torch.tensor([True, False]), "|b1"),
            "scalar": (torch.tensor(3.0), "<f4"),
            "empty": (torch.zeros(2, 0, 3), "<f4"),
        }
        _, arrays = self.write({name: tensor for name, (tensor, _) in stages.items()})
        for name, (tensor, dtype) in stages.items():
            array = arrays[f"stages/{name}.npy"]
            found = array.dtype, array.flags.c_contiguous, array.shape
            self.assertEqual(found, (np.dtype(dtype), True, tuple(tensor.shape)))
            wanted = tensor.float() if tensor.dtype == torch.bfloat16 else tensor
            np.testing.assert_array_equal(array, wanted.numpy())

    def test_names_become_files_that_every_system_can_hold(self) -> None:
        manifest, arrays = self.write({"../up/a": torch.ones(1), ".._up_A": torch.zeros(1), "b:c": torch.ones(1)})
        files = [entry["file"] for entry in manifest["stages"]]
        self.assertEqual(files, ["stages/.._up_a.npy", "stages/.._up_A_2.npy", "stages/b_c.npy"])
        self.assertEqual([float(arrays[file][0]) for file in files], [1, 0, 1])

    def test_the_same_content_gives_the_same_bytes(self) -> None:
        digests = []
        for _ in range(2):
            self.write(capture(nested(), INPUTS, {"lstm": "lstm"}))
            digests.append(hashlib.sha256(self.path.read_bytes()).hexdigest())
        self.assertEqual(*digests)
        with zipfile.ZipFile(self.path) as archive:
            self.assertEqual({entry.date_time for entry in archive.infolist()}, {(1980, 1, 1, 0, 0, 0)})

    def test_what_a_reader_would_refuse_is_not_written(self) -> None:
        good = torch.ones(2)
        for stages, options, message in (
            ({"a": torch.tensor([float("nan")])}, {}, "a is not finite"),
            ({"a": torch.tensor([1j])}, {}, "complex"),
            ({"a": good.expand(40_000_000, 2)}, {}, "bytes are more than the"),
            (
                {"a": good},
                {"axes": {"a": ("batch", "frame")}},
                r"a has the rank 1 and the shape \(2,\), but its axes are batch, frame: .* 1 in all",
            ),
            ({"a": torch.ones(2, 2).to_sparse()}, {}, "a is torch.sparse_coo, not a plain tensor"),
            ({"a": good}, {"axes": {"b": ("frame",)}}, "axes given for b, but there are only x, ids, a"),
            ({"a": good}, {"values": {"x": "x"}}, "a value given for x"),
            ({"a": good}, {"stage_tolerances": {"x": {"max_abs": 1}}}, "a tolerance given for x"),
        ):
            with self.subTest(message), self.assertRaisesRegex(BundleError, message):
                self.write(stages, **options)
        self.assertFalse(self.path.exists())

    def test_nan_is_kept_where_it_is_allowed(self) -> None:
        _, arrays = self.write({"a": torch.tensor([float("nan"), float("-inf")])}, allow_non_finite=True)
        np.testing.assert_array_equal(arrays["stages/a.npy"], [np.nan, -np.inf])


if __name__ == "__main__":
    unittest.main()
