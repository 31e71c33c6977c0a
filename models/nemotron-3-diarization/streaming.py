"""Facts and inputs of the streaming loop, for the manifest and for golden files."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np
from transformers import Nemotron3DiarizationConfig
from transformers.models.nemotron3_diarization.processing_nemotron3_diarization import (
    DEFAULT_STREAMING_MODES,
    Nemotron3DiarizationProcessor,
)


def streaming_facts(config: Nemotron3DiarizationConfig) -> dict[str, Any]:
    """Return the `StreamingSettings`. Lengths are in encoder frames.

    Raises:
        ValueError: The model reads frames before a chunk again.
    """
    cache = config.streaming_config
    if config.chunk_left_context != 0:
        raise ValueError("look-back frames are not implemented")
    return {
        "numSpeakers": config.head_config.num_speakers,
        "melFramesPerEncoderFrame": config.audio_config.subsampling_factor,
        "lookBackFrames": config.chunk_left_context,
        "offline": {
            "chunkFrames": config.chunk_length,
            "lookAheadFrames": config.chunk_right_context,
            "fifoFrames": config.fifo_length,
            "updatePeriodFrames": config.speaker_cache_update_period,
        },
        "streaming": {
            "fifoFrames": cache.fifo_length,
            "updatePeriodFrames": cache.speaker_cache_update_period,
            "modes": {
                name: {"chunkFrames": chunk, "lookAheadFrames": ahead}
                for name, (chunk, ahead) in DEFAULT_STREAMING_MODES.items()
            },
        },
        "cache": {
            "cacheFrames": cache.speaker_cache_length,
            "silenceFramesPerSpeaker": cache.speaker_cache_silence_frames_per_speaker,
            "scoreThreshold": cache.prediction_score_threshold,
            "latestFramesBoost": cache.latest_frames_score_boost,
            "strongBoostRate": cache.strong_boost_rate,
            "weakBoostRate": cache.weak_boost_rate,
            "minPositiveRate": cache.min_positive_scores_rate,
        },
        "segments": {
            # The default of the processor, which has no minimum durations.
            "threshold": inspect.signature(Nemotron3DiarizationProcessor.extract_speaker_dict).parameters["threshold"].default,
            "minDurationOnSeconds": 0,
            "minDurationOffSeconds": 0,
        },
    }


def streamed_inputs(processor: Nemotron3DiarizationProcessor, samples: np.ndarray, **options: Any) -> Iterator[tuple[int, Any]]:
    """Yield the first mel frame and the inputs of the model for each step of a recording, in the mode of the processor.

    Args:
        samples: Axes (sample), float32.
        options: Passed to the processor.
    """
    frame, is_last = 0, False
    while not is_last:
        is_first = frame == 0
        start = 0 if is_first else processor.audio_chunk_start(frame)
        size = processor.num_samples_first_audio_chunk if is_first else processor.num_samples_per_audio_chunk
        is_last = start + size > len(samples)
        yield frame, processor(
            samples[start : None if is_last else start + size],
            is_streaming=True,
            is_first_audio_chunk=is_first,
            is_last_audio_chunk=is_last,
            **options,
        )
        frame += processor.num_mel_frames_per_step
