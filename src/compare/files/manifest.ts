import * as v from 'valibot';
import { describeIssue } from '../../util/describeIssue';
import type { Tolerance } from '../compare';
import { broken } from './zip';

/** Name of the file that says what a bundle's other files are. */
export const MANIFEST = 'manifest.json';

/** Least cosine of a bundle that does not say its own. */
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
  v.description(`Least cosine of the angle between the two tensors, each taken as one vector. ${DEFAULT_COSINE} if neither the stage nor the bundle says.`),
);
const relativeEntries = {
  rtol: v.exactOptional(
    v.pipe(
      v.number(),
      v.finite(),
      v.minValue(0),
      v.description(
        'Greatest root mean square of the error, relative to the spread of the golden tensor. By default it follows from the type of the values.',
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

/** The manifest of a golden bundle; `public/golden-bundle.schema.json` is made of it. */
export const goldenManifestSchema = v.pipe(
  v.object({
    format: v.literal('golden-bundle'),
    version: v.literal(1),
    model: v.pipe(text, v.description('Id of a model of this release, or any name of a foreign one.')),
    source: v.pipe(
      v.optional(v.record(v.string(), v.unknown()), {}),
      v.description('Where the values come from: framework, checkpoint, recording, script. Shown, not interpreted.'),
    ),
    graph: v.exactOptional(
      v.pipe(
        text,
        v.description('Path of an ONNX file in the bundle that should give these values: a self-contained bug report.'),
      ),
    ),
    inputs: v.pipe(v.array(v.object(tensorEntries)), v.description('What the model is given.')),
    stages: v.pipe(
      v.array(
        v.object({
          ...tensorEntries,
          value: v.exactOptional(
            v.pipe(
              text,
              v.description("Name of the graph's value that this stage is, where it is not the stage's name."),
            ),
          ),
          decisions: v.exactOptional(
            v.pipe(
              v.object({
                kind: v.pipe(
                  v.picklist(['argmax', 'threshold', 'ranking', 'none']),
                  v.description('A class per row, each value against a threshold, the order of the greatest values, or nothing.'),
                ),
                threshold: v.exactOptional(v.pipe(v.number(), v.finite(), v.description('Of threshold. Default 0.5.'))),
                top: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(1), v.description('Places of ranking. Default 10.'))),
              }),
              v.description('What the stage decides. By default this follows from the graph and from an axis `class`.'),
            ),
          ),
          tolerance: v.pipe(
            v.optional(
              v.object({ max_abs: v.exactOptional(maxAbs), cosine: v.exactOptional(cosine), ...relativeEntries, ...argmaxEntry }),
              {},
            ),
            v.description("What differs from the bundle's tolerance."),
          ),
        }),
      ),
      v.description('What the original model computes of the inputs, in that order.'),
    ),
    tolerance: v.pipe(
      v.object({ max_abs: v.exactOptional(maxAbs), cosine: v.exactOptional(cosine), ...relativeEntries, ...argmaxEntry }),
      v.description('What a stage may differ by and still be right.'),
    ),
  }),
  v.title('Golden bundle'),
  v.description('manifest.json of a golden bundle: inputs of a model and what each of its stages must give for them.'),
);

/** As the JSON has it, with what it may leave out. */
export type GoldenManifest = v.InferOutput<typeof goldenManifestSchema>;

/** As the JSON has it. */
export type GoldenManifestJson = v.InferInput<typeof goldenManifestSchema>;

/**
 * Reads the manifest of a golden bundle.
 *
 * @throws VoxlaneError `format` that names the field and what it must be
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
      `${MANIFEST} is not one of a golden bundle: ${v.getDotPath(issue) ?? 'the whole'}: ${describeIssue(issue)}`,
      'format "golden-bundle" version 1',
    );
  }
  const { inputs, stages } = parsed.output;
  const namesOf = (entries: GoldenManifest['inputs']): string[] => entries.map(({ name }) => name);
  // An input and a stage may have one name. A file named often would be copied as often, past every bound.
  for (const labels of [namesOf(inputs), namesOf(stages), filesOf(parsed.output)]) {
    const twice = firstTwice(labels);
    if (twice !== undefined) throw broken(`${MANIFEST} has ${twice} twice`, 'a name and a file for each tensor');
  }
  return parsed.output;
}

/** A tolerance, in the names of the code. */
export function toTolerance({ max_abs, cosine, rtol, atol, argmax_agreement }: GoldenManifest['tolerance']): Tolerance {
  return {
    maxAbs: max_abs ?? Infinity,
    cosine: cosine ?? DEFAULT_COSINE,
    ...(rtol !== undefined && { rtol }),
    ...(atol !== undefined && { atol }),
    ...(argmax_agreement !== undefined && { argmaxAgreement: argmax_agreement }),
  };
}

/** A tolerance, in the names of the manifest. */
export function fromTolerance({ maxAbs, cosine, rtol, atol, argmaxAgreement }: Tolerance): GoldenManifest['tolerance'] {
  return {
    ...(maxAbs !== Infinity && { max_abs: maxAbs }),
    cosine,
    ...(rtol !== undefined && { rtol }),
    ...(atol !== undefined && { atol }),
    ...(argmaxAgreement !== undefined && { argmax_agreement: argmaxAgreement }),
  };
}

/** The first label that an earlier one equals. */
export function firstTwice(labels: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return labels.find((label) => seen.size === seen.add(label).size);
}

const filesOf = ({ inputs, stages, graph }: GoldenManifest): string[] => [
  ...[...inputs, ...stages].map(({ file }) => file),
  ...(graph === undefined ? [] : [graph]),
];
