"""Export a network of 50 modules with both of PyTorch's exporters, and write a golden bundle with all modules.

    python models/torch_exports.py FOLDER

Writes two files to FOLDER:

- torch_network.zip: a golden bundle with the output of every module, captured with forward hooks.
- torch_network_exports.zip: script.onnx (`dynamo=False`) and dynamo.onnx with dynamo.onnx.data (`dynamo=True`), with
  the default options of the exporters, and script_unfused.onnx and dynamo_unfused.onnx, in which batch norms are not
  folded into convolutions.

The random weights have a fixed seed. src/compare/torchExports.test.ts compares the files in src/compare/fixtures.

Requires torch, onnx, onnxscript and numpy in the versions of requirements.txt.
"""

from __future__ import annotations

import sys
import tempfile
import zipfile
from pathlib import Path

import onnx
import torch
from torch import nn

from golden_bundle import framework, write_bundle
from golden_taps import Tensors, capture, capture_leaves

SEED = 18
FEATURES = 8
HEADS = 2
# Node metadata of the dynamo exporter that the tests do not read.
TRACES = ("pkg.torch.onnx.stack_trace", "pkg.torch.onnx.fx_node")


class Attention(nn.Module):
    """Self-attention with separate modules for the projections."""

    def __init__(self, features: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q = nn.Linear(features, features)
        self.k = nn.Linear(features, features)
        self.v = nn.Linear(features, features)
        self.out = nn.Linear(features, features)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, frames, features = x.shape

        def split(y: torch.Tensor) -> torch.Tensor:
            return y.reshape(batch, frames, self.heads, features // self.heads).transpose(1, 2)

        q, k, v = split(self.q(x)), split(self.k(x)), split(self.v(x))
        weights = torch.softmax(q @ k.transpose(-1, -2) / (features // self.heads) ** 0.5, dim=-1)
        return self.out((weights @ v).transpose(1, 2).reshape(batch, frames, features))


class Block(nn.Module):
    """A transformer block with pre-layer normalization."""

    def __init__(self, features: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(features)
        self.att = Attention(features, heads)
        self.norm2 = nn.LayerNorm(features)
        self.feed = nn.Sequential(
            nn.Linear(features, 2 * features), nn.GELU(), nn.Dropout(0.1), nn.Linear(2 * features, features)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.att(self.norm1(x))
        return x + self.feed(self.norm2(x))


class Residual(nn.Module):
    """A residual block of two convolutions with batch norms and one activation module that is called twice."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(channels, channels, 3, padding=1)
        self.bn1 = nn.BatchNorm1d(channels)
        self.conv2 = nn.Conv1d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm1d(channels)
        self.act = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.act(self.bn1(self.conv1(x)))
        return self.act(x + self.bn2(self.conv2(y)))


class Network(nn.Module):
    """Maps samples (batch, channel, sample) to log-probabilities of classes (batch, frame, class)."""

    def __init__(self) -> None:
        super().__init__()
        self.front = nn.Sequential(
            nn.Conv1d(1, 4, 5, stride=2),
            nn.BatchNorm1d(4),
            nn.LeakyReLU(),
            nn.Conv1d(4, FEATURES, 5, stride=2),
            nn.BatchNorm1d(FEATURES),
            nn.ReLU(),
        )
        self.residual = Residual(FEATURES)
        self.gru = nn.GRU(FEATURES, FEATURES // 2, batch_first=True, bidirectional=True)
        self.blocks = nn.ModuleList(Block(FEATURES, HEADS) for _ in range(2))
        self.mha = nn.MultiheadAttention(FEATURES, HEADS, batch_first=True)
        self.norm = nn.LayerNorm(FEATURES)
        self.head = nn.Sequential(nn.Linear(FEATURES, FEATURES), nn.Tanh(), nn.Linear(FEATURES, 5))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.residual(self.front(x)).transpose(1, 2)
        y, _ = self.gru(y)
        for block in self.blocks:
            y = block(y)
        attended, _ = self.mha(y, y, y, need_weights=False)
        return torch.log_softmax(self.head(self.norm(y + attended)), dim=-1)


def make_network() -> nn.Module:
    """Return the network in evaluation mode, with batch norms that differ from the identity."""
    torch.manual_seed(SEED)
    network = Network()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias)
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2)
    return network.eval()


def stages_of(network: nn.Module, inputs: Tensors) -> Tensors:
    """Return the outputs of all modules, including containers, in the order in which the modules finish."""
    leaves = [name for name in capture_leaves(network, inputs) if name != "output"]
    repeated = {name.split("#")[0] for name in leaves if "#" in name}
    taps = {name: f"{name}#1" if name in repeated else name for name in leaves}
    for path, module in network.named_modules():
        if path and any(module.children()) and not isinstance(module, nn.ModuleList):
            taps[path] = path
    return capture(network, inputs, taps | {"output": "."})


def without_traces(path: Path) -> None:
    """Remove the stack traces of all nodes, because they contain local paths."""
    model = onnx.load(path, load_external_data=False)
    for node in model.graph.node:
        kept = [entry for entry in node.metadata_props if entry.key not in TRACES]
        del node.metadata_props[:]
        node.metadata_props.extend(kept)
    path.write_bytes(model.SerializeToString())


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    network = make_network()
    generator = torch.Generator().manual_seed(SEED)
    inputs = {"x": torch.randn(1, 1, 63, generator=generator)}
    stages = stages_of(network, inputs)
    source = {"framework": framework(), "script": Path(__file__).name, "seed": SEED}
    write_bundle(folder / "torch_network.zip", model="network", inputs=inputs, stages=stages, source=source)
    with tempfile.TemporaryDirectory() as temporary:
        export_all(network, tuple(inputs.values()), Path(temporary))
        files = {path.name: path.read_bytes() for path in sorted(Path(temporary).iterdir())}
    with zipfile.ZipFile(folder / "torch_network_exports.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in files.items():
            # A fixed time (the earliest that zip supports), so that equal exports produce identical bytes.
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED, 9)
            print(f"{name:<24} {len(content):>8} bytes")
    print(f"{len(stages)} stages of {sum(1 for _ in network.modules()) - 1} modules: {', '.join(stages)}")


def export_all(network: nn.Module, given: tuple[torch.Tensor, ...], folder: Path) -> None:
    names = {"input_names": ["x"], "output_names": ["y"]}
    unfused = {"training": torch.onnx.TrainingMode.PRESERVE, "do_constant_folding": False}
    for name, options in (("script", {}), ("script_unfused", unfused)):
        torch.onnx.export(network, given, folder / f"{name}.onnx", dynamo=False, opset_version=17, **names, **options)
    for name, optimize in (("dynamo", True), ("dynamo_unfused", False)):
        path = folder / f"{name}.onnx"
        torch.onnx.export(network, given, path, dynamo=True, opset_version=18, optimize=optimize, **names)
        without_traces(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
