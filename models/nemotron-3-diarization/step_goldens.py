"""Write src/compare/fixtures/nemotron_steps.zip: a golden bundle of some steps of the reference with seeded weights.

    python models/nemotron-3-diarization/step_goldens.py

Requires requirements.txt. The model has 4 layers, and the processor and the loop are those of the reference in the mode
`ultra_low_latency`. The speaker cache and the FIFO are small, so that the cache is compressed after a second of audio and
the bundle stays small. A step has the values that entered it, the state included, and the stages that it computed. The bundle
contains the graph, and `seeded.py --layers 4` writes its weights.
"""

from __future__ import annotations

import json
import tempfile
import wave
import zipfile
from typing import Any

import numpy as np
import torch
from export import STAGE_LAYERS, build_graph
from pipeline_goldens import ROOT
from seeded import seeded_model
from streaming import streamed_inputs, streaming_facts
from transformers import Nemotron3DiarizationProcessor
from transformers.models.nemotron_asr_streaming.feature_extraction_nemotron_asr_streaming import (
    NemotronAsrStreamingFeatureExtractor,
)

OUT = ROOT / "src/compare/fixtures/nemotron_steps.zip"

MODE = "ultra_low_latency"
NUM_LAYERS = 4
NUM_SAMPLES = 24 * 1600
# Sizes in encoder frames. The cache has the minimum of the reference: a frame and a place for silence for each speaker.
CACHE_FRAMES, FIFO_FRAMES, UPDATE_FRAMES = 16, 6, 4
# The first step, one with a FIFO and a cache that is not full, and one after a compression.
STEPS = (0, 3, 8)
# Bounds of the issue. The features are compared as they are; the error of the stages is relative to their spread.
TOLERANCE = {"cosine": 0.99999}
FEATURES_TOLERANCE = {"max_abs": 2e-3, "rtol": 2e-3, "cosine": 0.99999}


class Step:
    """What entered a step and what it computed; no batch axis."""

    def __init__(self, index: int, first_frame: int) -> None:
        self.index, self.first_frame = index, first_frame
        self.tensors: dict[str, torch.Tensor] = {}

    def keep(self, name: str, value: torch.Tensor) -> None:
        self.tensors[name] = value[0].clone()


@torch.inference_mode()
def run(model: torch.nn.Module, samples: np.ndarray) -> list[Step]:
    """Return all steps of the reference."""
    extractor = NemotronAsrStreamingFeatureExtractor(feature_size=model.config.audio_config.num_mel_bins)
    processor = Nemotron3DiarizationProcessor(extractor)
    processor.set_streaming_mode(MODE)
    rate = {"sampling_rate": extractor.sampling_rate, "return_tensors": "pt"}
    steps: list[Step] = []

    def stage(name: str):
        return lambda _module, _inputs, output: steps[-1].keep(name, getattr(output, "last_hidden_state", output))

    def entered(_module: Any, _inputs: Any, options: dict[str, Any]) -> None:
        steps[-1].keep("embeds", options["inputs_embeds"])
        mask = options["attention_mask"]
        steps[-1].keep("valid", torch.ones(options["inputs_embeds"].shape[:2]) if mask is None else mask.float())

    layers = model.model.audio_tower.layers
    model.model.audio_tower.embedder.register_forward_hook(stage("stacking"))
    model.model.register_forward_pre_hook(entered, with_kwargs=True)
    for number in STAGE_LAYERS:
        if number <= len(layers):
            layers[number - 1].register_forward_hook(stage(f"layer{number}"))
    model.model.register_forward_hook(stage("head"))
    model.classifier.register_forward_hook(stage("logits"))

    cache = None
    for frame, inputs in streamed_inputs(processor, samples, **rate):
        steps.append(Step(len(steps), frame // 8))
        steps[-1].keep("features", inputs["input_features"])
        cache = model(**inputs, speaker_cache=cache).speaker_cache
    return steps


# A speaker is active if the probability exceeds 0.5.
MORE = {"stacking": {"value": "stacked"}, "logits": {"decisions": {"kind": "threshold", "threshold": 0}}}
AXES = {"features": ("frame", "mel"), "valid": ("frame",), "logits": ("frame", "speaker"), "samples": ("sample",)}


def main() -> None:
    # Several threads could split sums differently in each run.
    torch.set_num_threads(1)
    model = seeded_model(NUM_LAYERS)
    streaming = model.config.streaming_config
    streaming.speaker_cache_length, streaming.fifo_length = CACHE_FRAMES, FIFO_FRAMES
    streaming.speaker_cache_update_period = UPDATE_FRAMES
    settings = streaming_facts(model.config)
    with wave.open(str(ROOT / "public/sample.wav")) as file:
        samples = np.frombuffer(file.readframes(NUM_SAMPLES), dtype="<i2").astype(np.float32) / np.float32(32768)
    steps = run(model, samples)
    files: dict[str, bytes] = {"graph.onnx": build_graph(seeded_model(NUM_LAYERS)).SerializeToString()}

    def entry(folder: str, name: str, values: np.ndarray, **more: Any) -> dict[str, Any]:
        with tempfile.TemporaryFile() as file:
            np.save(file, np.ascontiguousarray(values, "<f4"))
            file.seek(0)
            files[f"{folder}/{name}.npy"] = file.read()
        return {"name": name, "file": f"{folder}/{name}.npy", "axes": list(AXES.get(name, ("frame", "channel"))), **more}

    recorded = []
    for step in (steps[index] for index in STEPS):
        folder = f"steps/{step.index}"
        values = {name: tensor.numpy() for name, tensor in step.tensors.items()}
        # Speaker cache and FIFO; the frames of the chunk and its look-ahead follow.
        values["state"] = values.pop("embeds")[: -len(values["stacking"])]
        inputs = [entry(folder, name, values.pop(name)) for name in ("features", "state", "valid")]
        stages = [
            entry(folder, name, value, **MORE.get(name, {}))
            for name, value in values.items()
        ]
        recorded.append({"index": step.index, "firstFrame": step.first_frame, "inputs": inputs, "stages": stages})
        print(f"step {step.index} at frame {step.first_frame}: {', '.join(f'{n} {list(v.shape)}' for n, v in step.tensors.items())}")
    manifest = {
        "format": "golden-bundle",
        "version": 1,
        "model": "nemotron-3-diarization",
        "source": {"framework": f"pytorch {torch.__version__.split('+')[0]}, transformers", "weights": f"seeded.py --layers {NUM_LAYERS}"},
        "graph": "graph.onnx",
        "inputs": [entry("inputs", "samples", samples)],
        "stages": [],
        "tolerance": TOLERANCE,
        "streaming": {"mode": MODE, "settings": settings, "features": FEATURES_TOLERANCE, "steps": recorded},
    }
    files = {"manifest.json": (json.dumps(manifest, indent=1) + "\n").encode(), **files}
    with zipfile.ZipFile(OUT, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as bundle:
        for name, data in files.items():
            bundle.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED, 9)
    print(f"{len(steps)} steps, {OUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
