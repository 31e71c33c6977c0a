import * as v from 'valibot';
import { describeIssue } from '../../util/describeIssue';
import type { Tolerance } from '../compare';
import { broken } from './zip';

/** Name of the file that describes the other files of a bundle. */
export const MANIFEST = 'manifest.json';

/** Minimum cosine of a bundle that does not specify one. */
export const DEFAULT_COSINE = 0.999;

const text = v.pipe(v.string(), v.nonEmpty());
const file = v.pipe(text, v.description('Path of the file, from the folder of manifest.json, with forward slashes.'));
const maxAbs = v.pipe(
  v.number(),
  v.finite(),
  v.minValue(0),
  v.description("Greatest absolute difference of two values, in the stage's own unit. Applies in addition to rtol."),
);
const cosine = v.pipe(
  v.number(),
  v.minValue(-1),
  v.maxValue(1),
  v.description(`Minimum cosine similarity of the two tensors, each taken as one vector. ${DEFAULT_COSINE} if neither the stage nor the bundle specifies it.`),
);
const relativeEntries = {
  rtol: v.exactOptional(
    v.pipe(
      v.number(),
      v.finite(),
      v.minValue(0),
      v.description(
        'Maximum root mean square of the error, relative to the spread of the golden tensor. By default it follows from the type of the values.',
      ),
    ),
  ),
  atol: v.exactOptional(
    v.pipe(v.number(), v.finite(), v.minValue(0), v.description('Absolute error that passes rtol at any scale.')),
  ),
};
const argmaxEntry = {
  argmax_agreement: v.exactOptional(
    v.pipe(
      v.number(),
      v.minValue(0),
      v.maxValue(1),
      v.description('Least share of rows with the same greatest class; only of a tensor with an axis `class`.'),
    ),
  ),
};
const tensorEntries = {
  name: v.pipe(text, v.description('Unique among the inputs, or among the stages.')),
  file,
  axes: v.pipe(
    v.array(text),
    v.description(
      'Name of each axis, such as batch, channel, sample, frame, mel or class. Tensors are aligned by these names.',
    ),
  ),
};

const toleranceEntries = { max_abs: v.exactOptional(maxAbs), cosine: v.exactOptional(cosine), ...relativeEntries, ...argmaxEntry };
const stageEntry = v.object({
  ...tensorEntries,
  value: v.exactOptional(
    v.pipe(
      text,
      v.description("Name of the graph value that this stage corresponds to, if it differs from the stage's name."),
    ),
  ),
  decisions: v.exactOptional(
    v.pipe(
      v.object({
        kind: v.pipe(
          v.picklist(['argmax', 'threshold', 'ranking', 'none']),
          v.description('A class per row, each value compared with a threshold, the order of the greatest values, or nothing.'),
        ),
        threshold: v.exactOptional(v.pipe(v.number(), v.finite(), v.description('For threshold. Default 0.5.'))),
        top: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(1), v.description('For ranking: number of places. Default 10.'))),
      }),
      v.description('What the stage decides. By default this follows from the graph and from an axis `class`.'),
    ),
  ),
  tolerance: v.pipe(v.optional(v.object(toleranceEntries), {}), v.description("What differs from the bundle's tolerance.")),
});
const whole = v.pipe(v.number(), v.integer(), v.minValue(0));
const streamingEntry = v.object({
  mode: v.pipe(text, v.description('Mode of the loop over chunks, such as offline or low_latency.')),
  settings: v.pipe(v.record(v.string(), v.unknown()), v.description("Sizes of the loop, as in the section streaming of the model's manifest.")),
  features: v.pipe(v.optional(v.object(toleranceEntries), {}), v.description("For the mel frames: what differs from the bundle's tolerance.")),
  steps: v.pipe(
    v.array(
      v.object({
        index: v.pipe(whole, v.description('Number of the step in the recording, from 0.')),
        firstFrame: v.pipe(whole, v.description('First encoder frame of the chunk of the step.')),
        inputs: v.pipe(v.array(v.object(tensorEntries)), v.description('Inputs of the graph in this step: features, state (the speaker cache and FIFO before the step), valid.')),
        stages: v.pipe(v.array(stageEntry), v.description("Outputs of the original model's stages in this step.")),
      }),
    ),
    v.minLength(1),
    v.description('Some or all steps, in the order of the recording.'),
  ),
});

/** The manifest of a golden bundle; `public/golden-bundle.schema.json` is generated from it. */
export const goldenManifestSchema = v.pipe(
  v.object({
    format: v.literal('golden-bundle'),
    version: v.literal(1),
    model: v.pipe(text, v.description('ID of a model of this release, or any name for another model.')),
    source: v.pipe(
      v.optional(v.record(v.string(), v.unknown()), {}),
      v.description('Where the values come from: framework, checkpoint, recording, script. Shown, not interpreted.'),
    ),
    graph: v.exactOptional(
      v.pipe(
        text,
        v.description('Path of an ONNX file in the bundle that should produce these values: a self-contained bug report.'),
      ),
    ),
    inputs: v.pipe(v.array(v.object(tensorEntries)), v.description('Inputs of the model.')),
    stages: v.pipe(
      v.array(stageEntry),
      v.description("Outputs of the original model's stages, in the order of computation."),
    ),
    tolerance: v.pipe(v.object(toleranceEntries), v.description('Maximum difference of a correct stage.')),
    streaming: v.exactOptional(
      v.pipe(streamingEntry, v.description('Steps of a model with a state. The input is then the recording, samples, and stages is empty.')),
    ),
  }),
  v.title('Golden bundle'),
  v.description('manifest.json of a golden bundle: inputs of a model and the expected outputs of its stages.'),
);

/** The parsed manifest, with defaults applied. */
export type GoldenManifest = v.InferOutput<typeof goldenManifestSchema>;

/** The manifest as JSON. */
export type GoldenManifestJson = v.InferInput<typeof goldenManifestSchema>;

/**
 * Parses the manifest of a golden bundle.
 *
 * @throws VoxlaneError `format` that names the field and its expected value
 */
export function parseGoldenManifest(bytes: Uint8Array): GoldenManifest {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw broken(`${MANIFEST} is not JSON`, 'JSON text in UTF-8', cause);
  }
  const parsed = v.safeParse(goldenManifestSchema, value);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw broken(
      `${MANIFEST} is not the manifest of a golden bundle: ${v.getDotPath(issue) ?? 'the whole'}: ${describeIssue(issue)}`,
      'format "golden-bundle" version 1',
    );
  }
  const { inputs, stages, streaming } = parsed.output;
  const namesOf = (entries: GoldenManifest['inputs']): string[] => entries.map(({ name }) => name);
  // An input and a stage may share a name. A file that is named repeatedly would be copied repeatedly, beyond every limit.
  const perStep = streaming?.steps.flatMap((step) => [namesOf(step.inputs), namesOf(step.stages)]) ?? [];
  for (const labels of [namesOf(inputs), namesOf(stages), ...perStep, filesOf(parsed.output)]) {
    const twice = firstTwice(labels);
    if (twice !== undefined) throw broken(`${MANIFEST} has ${twice} twice`, 'a name and a file for each tensor');
  }
  return parsed.output;
}

/** Converts a tolerance to the names of the code. */
export function toTolerance({ max_abs, cosine, rtol, atol, argmax_agreement }: GoldenManifest['tolerance']): Tolerance {
  return {
    maxAbs: max_abs ?? Infinity,
    cosine: cosine ?? DEFAULT_COSINE,
    ...(rtol !== undefined && { rtol }),
    ...(atol !== undefined && { atol }),
    ...(argmax_agreement !== undefined && { argmaxAgreement: argmax_agreement }),
  };
}

/** Converts a tolerance to the names of the manifest. */
export function fromTolerance({ maxAbs, cosine, rtol, atol, argmaxAgreement }: Tolerance): GoldenManifest['tolerance'] {
  return {
    ...(maxAbs !== Infinity && { max_abs: maxAbs }),
    cosine,
    ...(rtol !== undefined && { rtol }),
    ...(atol !== undefined && { atol }),
    ...(argmaxAgreement !== undefined && { argmax_agreement: argmaxAgreement }),
  };
}

/** The first label that equals an earlier one. */
export function firstTwice(labels: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return labels.find((label) => seen.size === seen.add(label).size);
}

const filesOf = ({ inputs, stages, streaming, graph }: GoldenManifest): string[] => [
  ...[...inputs, ...stages, ...(streaming?.steps.flatMap((step) => [...step.inputs, ...step.stages]) ?? [])].map(({ file }) => file),
  ...(graph === undefined ? [] : [graph]),
];
