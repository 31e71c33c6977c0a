import * as v from 'valibot';
import { describeIssue } from '../util/describeIssue';
import { VoxlaneError } from '../util/errors';
import { MANIFEST_NAMES, withPresentNames } from '../util/formerNames';
import { sourcesSchema } from './sources';

const count = v.pipe(v.number(), v.integer(), v.minValue(1));
export const text = v.pipe(v.string(), v.nonEmpty());
export const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits'));

/** A named graph input or output; `null` in `shape` is a size that varies from run to run. */
const tensorFactSchema = v.object({
  name: text,
  dtype: v.literal('float32'),
  axes: v.array(text),
  shape: v.array(v.nullable(count)),
});

/** Name of the axis that frames follow each other along. */
const FRAME_AXIS = 'frame';

/** A layer, or a part of some, whose value can be compared with what the original model gives. */
const stageFactSchema = v.pipe(
  v.object({
    /** As golden bundles call it. */
    name: text,
    /**
   * The graph's value that it is tapped at; `null` for our own filterbank, which gives what the graph takes, and where
   * the accepted files of a model call it differently.
   */
    value: v.nullable(text),
    axes: v.array(text),
    /** Where the frames lie in the waveform; only where one axis is `frame`. */
    frames: v.exactOptional(
      v.object({
        /** Of the first frame, from the first sample: half way between the first and the last sample that it is of. */
        centerSamples: v.pipe(v.number(), v.finite()),
        /** From one frame to the next. */
        stepSamples: count,
      }),
    ),
  }),
  v.check(
    ({ axes, frames }) => axes.includes(FRAME_AXIS) === (frames !== undefined),
    `must have frames if one of its axes is ${FRAME_AXIS}, and else none`,
  ),
);

/** In the order in which they are computed. */
const stagesSchema = v.pipe(
  v.array(stageFactSchema),
  v.minLength(1),
  v.check((stages) => new Set(stages.map(({ name }) => name)).size === stages.length, 'must not name a stage twice'),
);

const common = {
  /** Same as the name of the folder. */
  id: text,
  /** The graph, beside the manifest; pinned so that a changed byte is found before it is run. */
  file: v.object({ name: text, bytes: count, sha256 }),
  /** SPDX identifier. */
  license: text,
  attribution: text,
  /** The checkpoint that the file was exported from. */
  origin: v.object({ package: text, path: text, sha256, url: text }),
  sampleRate: count,
  input: tensorFactSchema,
  output: tensorFactSchema,
  stages: stagesSchema,
};

const segmentationSchema = v.object({
  ...common,
  task: v.literal('segmentation'),
  windowSamples: count,
  /** Distance between the starts of two windows. */
  hopSamples: count,
  /** Frames per window. */
  numFrames: count,
  /** Of the values that one window makes on its way through the graph: what a GPU must be able to bind at once. */
  largestTensorBytes: count,
  /** Of one frame: where it begins in the window, how much it sees, how far to the next one. */
  receptiveField: v.object({ startSamples: v.number(), durationSamples: count, stepSamples: count }),
  powerset: v.object({
    /** Local speakers of one window. */
    numSpeakers: count,
    /** Most speakers at the same time. */
    maxSetSize: count,
    /** Axes (powerset class, local speaker), 0 or 1. */
    mapping: v.array(v.array(v.picklist([0, 1]))),
  }),
});

/** Options of the Kaldi filterbank, named after `torchaudio.compliance.kaldi.fbank`. */
const fbankSchema = v.object({
  numMelBins: count,
  frameLengthMs: v.number(),
  frameShiftMs: v.number(),
  windowType: v.picklist(['povey', 'hamming']),
  preemphasis: v.number(),
  removeDcOffset: v.boolean(),
  /** Only whole frames are used. Kaldi's other way, mirroring the edges, is not implemented. */
  snipEdges: v.literal(true),
  lowFrequencyHz: v.number(),
  /** 0 is the Nyquist frequency; negative is an offset from it. */
  highFrequencyHz: v.number(),
  /** Noise would make the same file give different bytes. */
  dither: v.literal(0),
  /** Factor on samples in [-1, 1] before framing: 1, or 32768 for models trained on 16-bit integers. */
  sampleScale: v.number(),
  /** The mean over the used frames is subtracted from each mel bin; over all of a window's where statistics are pooled. */
  subtractMean: v.boolean(),
});

const embeddingSchema = v.object({
  ...common,
  task: v.literal('embedding'),
  embeddingSize: count,
  fbank: fbankSchema,
  /**
   * How a voice's frames are chosen: `frames` runs the graph on the mel frames of each voice; `statistics` runs it once
   * on all of a window, and weights the frames of its last map where it pools them.
   */
  pooling: v.optional(v.picklist(['frames', 'statistics']), 'frames'),
  /** Files that are accepted, `file` first; absent where that is the only one, and lies beside the manifest. */
  sources: v.exactOptional(sourcesSchema),
  /** Fewer mel frames than this give no embedding. */
  minFrames: count,
  /** Shortest speech, in samples, that pyannote's overlap exclusion lets stand alone. */
  minSamples: count,
});

/** Facts of a segmentation model: a window of audio in, powerset classes per frame out. */
export type SegmentationManifest = v.InferOutput<typeof segmentationSchema>;
/** Facts of a speaker-embedding model: mel frames in, one vector out. */
export type EmbeddingManifest = v.InferOutput<typeof embeddingSchema>;
export type TensorFact = v.InferOutput<typeof tensorFactSchema>;
export type FbankSpec = v.InferOutput<typeof fbankSchema>;

/** Manifest by task. */
export interface Manifests {
  segmentation: SegmentationManifest;
  embedding: EmbeddingManifest;
}

const schemas = { segmentation: segmentationSchema, embedding: embeddingSchema };

/**
 * Checks a manifest that was read from somewhere.
 *
 * @throws VoxlaneError `model-invalid` that names the first field that is wrong
 */
export function parseManifest<Task extends keyof Manifests>(task: Task, value: unknown, address: string): Manifests[Task] {
  const parsed = v.safeParse(schemas[task], withPresentNames(value, MANIFEST_NAMES));
  if (parsed.success) return parsed.output as Manifests[Task];
  const [issue] = parsed.issues;
  const path = v.getDotPath(issue);
  throw new VoxlaneError({
    code: 'model-invalid',
    problem: `The manifest ${address} is not one of a ${task} model: ${path ?? 'the whole'}: ${describeIssue(issue)}`,
    expected: 'the fields that models/README.md lists',
    remedy: 'Export the model again with its export.py',
  });
}

/** Models in this release, and what each is for; their facts are in their manifests. */
export const SHIPPED_MODELS = {
  'segmentation-3.0': 'segmentation',
  'campplus-zh-en': 'embedding',
} as const satisfies Readonly<Record<ShippedModel, keyof Manifests>>;

/** Models whose manifest is in this release, also where their weights are fetched or brought by users. */
export const KNOWN_MODELS = {
  ...SHIPPED_MODELS,
  'wespeaker-resnet34-lm': 'embedding',
} as const satisfies Readonly<Record<string, keyof Manifests>>;

/** Id of a model that comes with this release. */
export type ShippedModel = 'segmentation-3.0' | 'campplus-zh-en';

export const isShipped = (id: string): id is ShippedModel => Object.hasOwn(SHIPPED_MODELS, id);
