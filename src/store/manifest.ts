import * as v from 'valibot';
import { describeIssue } from '../util/describeIssue';
import { VoxlaneError } from '../util/errors';
import { MANIFEST_NAMES, withPresentNames } from '../util/formerNames';
import { fbankSchema } from './fbankSpec';
import { sourcesSchema } from './sources';

export type { FbankSpec } from './fbankSpec';

const count = v.pipe(v.number(), v.integer(), v.minValue(1));
const text = v.pipe(v.string(), v.nonEmpty());
const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits'));

/** A named graph input or output; `null` in `shape` is a dynamic size. */
export const tensorSpecSchema = v.object({
  name: text,
  dtype: v.literal('float32'),
  axes: v.array(text),
  shape: v.array(v.nullable(count)),
});

/** Name of the time axis of frames. */
const FRAME_AXIS = 'frame';

/** A layer, or a part of it, whose value can be compared with the original model. */
const stageSpecSchema = v.pipe(
  v.object({
    /** Same name as in golden bundles. */
    name: text,
    /**
     * The graph value to read; `null` for our own filterbank, which computes the graph's input, and if the accepted
     * files of a model name the value differently.
     */
    value: v.nullable(text),
    axes: v.array(text),
    /** Position of the frames in the waveform; only if one axis is `frame`. */
    frames: v.exactOptional(
      v.object({
        /**
         * Center of the first frame, from the first sample: halfway between the first and the last sample of the
         * frame.
         */
        centerSamples: v.pipe(v.number(), v.finite()),
        /** Distance between frames. */
        stepSamples: count,
      }),
    ),
  }),
  v.check(
    ({ axes, frames }) => axes.includes(FRAME_AXIS) === (frames !== undefined),
    `must have frames if, and only if, one of its axes is ${FRAME_AXIS}`,
  ),
);

/** In the order of computation. */
export const stagesSchema = v.pipe(
  v.array(stageSpecSchema),
  v.minLength(1),
  v.check((stages) => new Set(stages.map(({ name }) => name)).size === stages.length, 'must not list a stage twice'),
);

const common = {
  /** Same as the name of the folder. */
  id: text,
  /** The graph, next to the manifest. The hash detects a changed file before it runs. */
  file: v.object({ name: text, bytes: count, sha256 }),
  /** SPDX identifier. */
  license: text,
  attribution: text,
  /** The checkpoint from which the file was exported. */
  origin: v.object({ package: text, path: text, sha256, url: text }),
  sampleRate: count,
  input: tensorSpecSchema,
  output: tensorSpecSchema,
  stages: stagesSchema,
};

const segmentationSchema = v.object({
  ...common,
  task: v.literal('segmentation'),
  windowSamples: count,
  /** Distance between the starts of consecutive windows. */
  hopSamples: count,
  /** Frames per window. */
  numFrames: count,
  /**
   * Size of the largest value that the graph computes for one window. A GPU must be able to bind a buffer of this
   * size.
   */
  largestTensorBytes: count,
  /** Of one frame: its start in the window, its duration, and the distance to the next frame. */
  receptiveField: v.object({ startSamples: v.number(), durationSamples: count, stepSamples: count }),
  powerset: v.object({
    /** Local speakers of one window. */
    numSpeakers: count,
    /** Maximum number of simultaneous speakers. */
    maxSetSize: count,
    /** Axes (powerset class, local speaker), 0 or 1. */
    mapping: v.array(v.array(v.picklist([0, 1]))),
  }),
});

const embeddingSchema = v.object({
  ...common,
  task: v.literal('embedding'),
  embeddingSize: count,
  fbank: fbankSchema,
  /**
   * How a speaker's frames are selected. `frames` runs the graph on the mel frames of each speaker. `statistics` runs
   * it once on a whole window and weights the frames of its last feature map when pooling.
   */
  pooling: v.optional(v.picklist(['frames', 'statistics']), 'frames'),
  /** Accepted files, `file` first; absent if only the file next to the manifest is accepted. */
  sources: v.exactOptional(sourcesSchema),
  /** Minimum number of mel frames for an embedding. */
  minFrames: count,
  /** Minimum speech, in samples, that remains after pyannote's overlap exclusion. */
  minSamples: count,
});

/** Facts of a segmentation model, which maps a window of audio to powerset classes per frame. */
export type SegmentationManifest = v.InferOutput<typeof segmentationSchema>;
/** Facts of a speaker embedding model, which maps mel frames to one vector. */
export type EmbeddingManifest = v.InferOutput<typeof embeddingSchema>;
export type TensorSpec = v.InferOutput<typeof tensorSpecSchema>;

/** Manifest by task. */
export interface Manifests {
  segmentation: SegmentationManifest;
  embedding: EmbeddingManifest;
}

const schemas = { segmentation: segmentationSchema, embedding: embeddingSchema };

/**
 * Validates a manifest.
 *
 * @throws VoxlaneError `model-invalid` with the first invalid field
 */
export function parseManifest<Task extends keyof Manifests>(task: Task, value: unknown, address: string): Manifests[Task] {
  const parsed = v.safeParse(schemas[task], withPresentNames(value, MANIFEST_NAMES));
  if (parsed.success) return parsed.output as Manifests[Task];
  const [issue] = parsed.issues;
  const path = v.getDotPath(issue);
  throw new VoxlaneError({
    code: 'model-invalid',
    problem: `The manifest ${address} is not valid for a ${task} model: ${path ?? 'the whole file'}: ${describeIssue(issue)}`,
    expected: 'the fields listed in models/README.md',
    remedy: 'Export the model again with its export.py',
  });
}

/** Models in this release and their tasks. Their facts are in their manifests. */
export const SHIPPED_MODELS = {
  'segmentation-3.0': 'segmentation',
  'campplus-zh-en': 'embedding',
} as const satisfies Readonly<Record<ShippedModel, keyof Manifests>>;

/** Models whose manifest is in this release. Their weights may be downloaded or brought by users. */
export const KNOWN_MODELS = {
  ...SHIPPED_MODELS,
  'wespeaker-resnet34-lm': 'embedding',
} as const satisfies Readonly<Record<string, keyof Manifests>>;

/** Id of a model that is part of this release. */
export type ShippedModel = 'segmentation-3.0' | 'campplus-zh-en';

export const isShipped = (id: string): id is ShippedModel => Object.hasOwn(SHIPPED_MODELS, id);
