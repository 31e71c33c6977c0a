import * as v from 'valibot';
import { describeIssue } from '../util/describeIssue';
import { VoxlaneError } from '../util/errors';
import type { StreamMode } from './streamModes';

const count = v.pipe(v.number(), v.integer(), v.minValue(1));
const countOrZero = v.pipe(v.number(), v.integer(), v.minValue(0));
const positive = v.pipe(v.number(), v.finite(), v.minValue(0));
const probability = v.pipe(v.number(), v.minValue(0), v.maxValue(1));

/** Sizes of one chunk. */
const chunkShape = {
  /** Encoder frames that a step decides. */
  chunkFrames: count,
  /** Encoder frames after the chunk that a step attends to. The next step reads them again. */
  lookAheadFrames: countOrZero,
};

/** Sizes of the queue of recent frames. */
const fifoShape = {
  /** Capacity of the FIFO, in encoder frames. */
  fifoFrames: count,
  /** Minimum number of encoder frames that move from a full FIFO to the speaker cache. */
  updatePeriodFrames: count,
};

const cacheSchema = v.object({
  /** Capacity of the speaker cache, in encoder frames. */
  cacheFrames: count,
  /** Places per speaker that the learned silence embedding fills if the cache is compressed. */
  silenceFramesPerSpeaker: countOrZero,
  /** Lower bound of probabilities before their logarithm. */
  scoreThreshold: v.pipe(v.number(), v.minValue(Number.MIN_VALUE), v.maxValue(1)),
  /** Added to the scores of frames that are new in the cache. */
  latestFramesBoost: positive,
  /** Share of a speaker's budget of frames with a strong boost. */
  strongBoostRate: positive,
  /** Share of a speaker's budget of frames with a weak boost. */
  weakBoostRate: positive,
  /** Share of a speaker's budget: with as many positive scores, frames with other scores are excluded. */
  minPositiveRate: positive,
});

/** How the cache scores frames. */
export type CacheSettings = v.InferOutput<typeof cacheSchema>;

const streamingSchema = v.pipe(
  v.object({
    /** Speakers in the output, in the order of their first frames. */
    numSpeakers: count,
    /** Mel frames in an encoder frame, and rows of logits for it. */
    melFramesPerEncoderFrame: count,
    /** Encoder frames before a chunk that a step reads again. Only 0 is implemented, the value of the model. */
    lookBackFrames: v.literal(0),
    offline: v.object({ ...chunkShape, ...fifoShape }),
    streaming: v.object({
      ...fifoShape,
      modes: v.object({
        low_latency: v.object(chunkShape),
        very_low_latency: v.object(chunkShape),
        ultra_low_latency: v.object(chunkShape),
      }),
    }),
    cache: cacheSchema,
    /** How logits become segments. */
    segments: v.object({
      /** A speaker is active in a frame if the probability is greater. */
      threshold: probability,
      /** Shorter segments are removed; 0 keeps all. */
      minDurationOnSeconds: positive,
      /** Shorter gaps between segments of one speaker are filled first; 0 keeps all. */
      minDurationOffSeconds: positive,
    }),
  }),
  // The checks of `Nemotron3DiarizationConfig.validate_architecture`, and those of `torch.topk`.
  v.check(({ offline }) => offline.lookAheadFrames < offline.chunkFrames, 'offline.lookAheadFrames must be less than offline.chunkFrames'),
  v.check(
    ({ cache, numSpeakers }) => cache.cacheFrames >= (1 + cache.silenceFramesPerSpeaker) * numSpeakers,
    'cache.cacheFrames must be at least (1 + cache.silenceFramesPerSpeaker) · numSpeakers',
  ),
  v.check(
    (settings) => {
      const { strongBoosts, weakBoosts } = scoreCounts(settings);
      return Math.max(strongBoosts, weakBoosts) <= settings.cache.cacheFrames;
    },
    'the boosts of a speaker must not cover more frames than the cache has',
  ),
);

/** Facts of the streaming loop of a Sortformer model: the section `streaming` of its manifest. */
export type StreamingSettings = v.InferOutput<typeof streamingSchema>;

/** How logits become segments. */
export type SegmentSettings = StreamingSettings['segments'];

/** Sizes of one mode, in encoder frames. */
export interface ModeSizes {
  readonly chunkFrames: number;
  readonly lookAheadFrames: number;
  readonly fifoFrames: number;
  readonly updatePeriodFrames: number;
}

/** Sizes of the chunks, the FIFO and its updates in `mode`. */
export function modeSizes(settings: StreamingSettings, mode: StreamMode): ModeSizes {
  if (mode === 'offline') return settings.offline;
  const { fifoFrames, updatePeriodFrames, modes } = settings.streaming;
  return { ...modes[mode], fifoFrames, updatePeriodFrames };
}

/** Numbers of frames per speaker that the scores of a full cache depend on. */
export interface ScoreCounts {
  /** Positive scores from which on the other scores are excluded. */
  readonly minPositive: number;
  readonly strongBoosts: number;
  readonly weakBoosts: number;
}

/**
 * Shares of the cache that each speaker gets, without its places for silence. Matches the constructor of
 * `Nemotron3DiarizationSpeakerCache`.
 */
export function scoreCounts({ cache, numSpeakers }: { readonly cache: CacheSettings; readonly numSpeakers: number }): ScoreCounts {
  const budget = Math.floor(cache.cacheFrames / numSpeakers) - cache.silenceFramesPerSpeaker;
  return {
    minPositive: Math.floor(budget * cache.minPositiveRate),
    strongBoosts: Math.floor(budget * cache.strongBoostRate),
    weakBoosts: Math.floor(budget * cache.weakBoostRate),
  };
}

/**
 * Validates the section `streaming` of a manifest.
 *
 * @param address of the manifest, for the error
 * @throws VoxlaneError `model-invalid` with the first invalid field
 */
export function parseStreamingSettings(section: unknown, address: string): StreamingSettings {
  const parsed = v.safeParse(streamingSchema, section);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const path = v.getDotPath(issue);
  throw new VoxlaneError({
    code: 'model-invalid',
    problem: `The section streaming of the manifest ${address} is not valid: ${path ?? 'the whole section'}: ${describeIssue(issue)}`,
    expected: 'the fields listed in src/store/streamingSettings.ts',
    remedy: 'Export the model again with its export.py',
  });
}
