import * as v from 'valibot';
import { describeIssue } from '../util/describeIssue';
import { VoxlaneError } from '../util/errors';
import { centeredFbankSchema } from './fbankSpec';
import { stagesSchema, tensorSpecSchema } from './manifest';
import { acceptedFileSchema } from './sources';

const count = v.pipe(v.number(), v.integer(), v.minValue(1));
const text = v.pipe(v.string(), v.nonEmpty());
const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits'));

const diarizationSchema = v.object({
  /** Same as the name of the folder. */
  id: text,
  task: v.literal('diarization'),
  /** The graph without weights, next to the manifest. */
  file: v.object({ name: text, bytes: count, sha256 }),
  /** SPDX identifier. */
  license: text,
  attribution: text,
  /** The file with the weights. The graph's initializers have the names of its tensors. */
  weights: v.object({ ...acceptedFileSchema.entries, numTensors: count }),
  sampleRate: count,
  fbank: centeredFbankSchema,
  numLayers: count,
  /** Maximum length of `embeds`: the tables of the rotary embedding have as many rows. */
  maxEncoderFrames: count,
  /** Inputs and outputs of the three parts of the graph. */
  tensors: v.object({
    /** Mel frames, a multiple of those of an encoder frame. */
    features: tensorSpecSchema,
    /** Projected encoder frames: the output for `features`. */
    stacked: tensorSpecSchema,
    /** Encoder frames of one step. */
    embeds: tensorSpecSchema,
    /** For each frame of `embeds`: 1, or 0 for padding at the end. */
    valid: tensorSpecSchema,
    /** The output for `embeds` and `valid`, for each mel frame. */
    logits: tensorSpecSchema,
    /** Output without an input: the encoder frame for silence. */
    silence: tensorSpecSchema,
  }),
  stages: stagesSchema,
});

/**
 * Facts of a streaming diarization model, which maps mel frames and its own state to the activity of speakers. The settings of
 * its loop, in the section `streaming`, are validated by `parseStreamingSettings`.
 */
export type DiarizationManifest = v.InferOutput<typeof diarizationSchema>;

/**
 * Validates the manifest of a diarization model.
 *
 * @throws VoxlaneError `model-invalid` with the first invalid field
 */
export function parseDiarizationManifest(value: unknown, address: string): DiarizationManifest {
  const parsed = v.safeParse(diarizationSchema, value);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const path = v.getDotPath(issue);
  throw new VoxlaneError({
    code: 'model-invalid',
    problem: `The manifest ${address} is not valid for a diarization model: ${path ?? 'the whole file'}: ${describeIssue(issue)}`,
    expected: 'the fields listed in src/store/diarizationManifest.ts',
    remedy: 'Export the model again with its export.py',
  });
}
