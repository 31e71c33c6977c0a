"""Write src/sortformer/fixtures/full.*: some steps of the reference in full size with seeded weights, in each mode.

    python models/nemotron-3-diarization/full_goldens.py [--seconds 43] [--layers 31] [--out FOLDER]
        [--modes MODE ...]

Requires requirements.txt. The audio is that of `narrow_goldens.py`. Offline, all steps are computed. In the streaming modes,
the cache only depends on the logits of the steps in which the FIFO overflows: then the oldest frames of the FIFO move to the
cache with their probabilities. All other steps have the logits of zeros in place of the network, and the states are those of
a run with all steps. Computed and stored are the first step, all steps with an overflow, and the step after the first
compression, the first one that attends to a compressed cache.

Stored per case: for each step, the hash of the frames in speaker cache and FIFO in order; for each computed step, two weighted
sums of the embeddings and probabilities in the state, every decision of all frames that it attends to, and some values of each
stage; and some features.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pipeline_goldens as pipeline
import torch
from export import STAGE_LAYERS
from narrow_goldens import MODES, NOISE_SEED, audio
from seeded import seeded_model
from streaming import streamed_inputs
from transformers import Nemotron3DiarizationProcessor
from transformers.models.nemotron_asr_streaming.feature_extraction_nemotron_asr_streaming import (
    NemotronAsrStreamingFeatureExtractor,
)

# After 43 s, each streaming mode has computed the step after the compression of its cache, and the offline mode two chunks.
SECONDS = 43
# Distance of stored frames and channels. Primes, so that all residues of frames occur.
ENCODER_STRIDE, MEL_STRIDE, CHANNEL_STRIDE = 97, 397, 7
FEATURE_STRIDE = 101


class Steps:
    """Computes some steps, and keeps their stages; the others have zeros before the classifier."""

    def __init__(self, model: torch.nn.Module) -> None:
        self.is_computed = True
        self.index = -1
        self.indices: list[int] = []
        self.tensors: list[dict[str, torch.Tensor]] = []
        inner = model.model
        compute = inner.forward

        def forward(**options: Any) -> Any:
            self.index += 1
            embeds = options["inputs_embeds"]
            if not self.is_computed:
                shape = (1, embeds.shape[1] * model.config.audio_config.subsampling_factor, model.config.head_config.hidden_size)
                return SimpleNamespace(last_hidden_state=torch.zeros(shape), hidden_states=None, attentions=None)
            self.indices.append(self.index)
            self.tensors.append({"stacked": embeds[0].clone()})
            output = compute(**options)
            self.tensors[-1]["head"] = output.last_hidden_state[0].clone()
            self.tensors[-1]["logits"] = model.classifier(output.last_hidden_state)[0].clone()
            return output

        def stage(name: str):
            return lambda _module, _inputs, output: self.tensors[-1].__setitem__(name, output[0].clone())

        inner.forward = forward
        layers = inner.audio_tower.layers
        self.hooks = [layers[n - 1].register_forward_hook(stage(f"layer{n}")) for n in STAGE_LAYERS if n <= len(layers)]
        self.restore = lambda: setattr(inner, "forward", compute)

    def __enter__(self) -> Steps:
        return self

    def __exit__(self, *_: object) -> None:
        self.restore()
        for hook in self.hooks:
            hook.remove()


@torch.inference_mode()
def run(model: torch.nn.Module, mode: str, samples: np.ndarray, steps: Steps) -> np.ndarray:
    """Run a recording. Return the features, axes (mel frame, mel)."""
    extractor = NemotronAsrStreamingFeatureExtractor(feature_size=model.config.audio_config.num_mel_bins)
    processor = Nemotron3DiarizationProcessor(extractor)
    rate = {"sampling_rate": extractor.sampling_rate, "return_tensors": "pt"}
    if mode == "offline":
        inputs = processor(samples, **rate)
        model(**inputs)
        return inputs["input_features"][0, : len(samples) // extractor.hop_length].numpy()
    processor.set_streaming_mode(mode)
    factor = model.config.audio_config.subsampling_factor
    features, cache, was_compressed = [], None, False
    for _, inputs in streamed_inputs(processor, samples, **rate):
        values = inputs["input_features"][0].numpy()
        # The last step decides its look-ahead too.
        num_frames = -(-len(values) // factor) - inputs.get("num_lookahead_frames", 0)
        is_compressed = cache is not None and cache.is_compressed
        overflows = cache is not None and cache._num_popped_frames(cache.num_fifo_frames + num_frames) > 0
        steps.is_computed = cache is None or overflows or (is_compressed and not was_compressed)
        was_compressed = is_compressed
        cache = model(**inputs, speaker_cache=cache).speaker_cache
        features.append(values[: num_frames * factor])
    return np.concatenate(features)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=SECONDS, help=f"seconds of audio (default: {SECONDS})")
    parser.add_argument("--layers", type=int, help="number of layers (default: all)")
    parser.add_argument("--out", type=Path, default=pipeline.OUT, help="folder of the files")
    parser.add_argument("--modes", nargs="+", default=MODES, help="modes (default: all)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    model = seeded_model(arguments.layers)
    samples = audio(arguments.seconds * 16000 + 77)
    cases, pack = [], pipeline.Pack()

    for mode in arguments.modes:
        start = time.monotonic()
        with pipeline.Recorder() as recorder, Steps(model) as steps:
            features = run(model, mode, samples, steps)
        sums = np.array(recorder.sums, "<f4").reshape(-1, 2)
        computed = []
        for index, tensors in zip(steps.indices, steps.tensors, strict=True):
            num_frames = len(tensors["stacked"])
            stages = {}
            for name, value in tensors.items():
                rows = value[:: ENCODER_STRIDE if len(value) == num_frames else MEL_STRIDE]
                # All speakers of a frame.
                kept = rows if name == "logits" else rows[:, ::CHANNEL_STRIDE]
                stages[name] = pack.store(np.ascontiguousarray(kept.numpy(), "<f4").tobytes())
            logits = tensors["logits"].numpy()
            decisions = pack.store(np.packbits(logits > 0, axis=1).tobytes())
            computed.append(
                {
                    "index": index,
                    "numFrames": num_frames,
                    "embeddingSum": float(sums[index, 0]),
                    "probabilitySum": float(sums[index, 1]),
                    "spread": float(logits.std()),
                    # Axes (mel frame, speaker), a bit each, the first speaker in the highest bit.
                    "decisions": decisions,
                    "stages": stages,
                }
            )
        print(f"{mode}: {len(recorder.hashes)} steps, computed {steps.indices}, {time.monotonic() - start:.0f} s", flush=True)
        cases.append(
            {
                "mode": mode,
                "numSamples": len(samples),
                "states": pack.store(b"".join(recorder.hashes)),
                "features": pack.store(np.ascontiguousarray(features[::FEATURE_STRIDE], "<f4").tobytes()),
                "steps": computed,
            }
        )
    facts = {
        "numLayers": model.config.audio_config.num_hidden_layers,
        "noiseSeed": NOISE_SEED,
        "embeddingSeed": pipeline.EMBEDDING_SEED,
        "probabilitySeed": pipeline.PROBABILITY_SEED,
        "encoderStride": ENCODER_STRIDE,
        "melStride": MEL_STRIDE,
        "channelStride": CHANNEL_STRIDE,
        "featureStride": FEATURE_STRIDE,
        "hashBytes": pipeline.HASH_BYTES,
        "cases": cases,
    }
    (arguments.out / "full.bin").write_bytes(pack.bytes)
    (arguments.out / "full.json").write_text(json.dumps(facts, separators=(",", ":")) + "\n")
    print(f"{len(pack.bytes)} bytes")


if __name__ == "__main__":
    main()
