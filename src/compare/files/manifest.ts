import * as v from 'valibot';
import { describeIssue } from '../../util/describeIssue';
import type { Tolerance } from '../compare';
import { broken } from './zip';

/** Name of the file that describes the other files of a bundle. */
export const MANIFEST = 'manifest.json';

/** Minimum cosine of a bundle that does not specify one. */
export const DEFAULT_COSINE = 0.999;

const text = v.pipe(v.string(), v.nonEmpty());
const positive = v.pipe(v.number(), v.finite(), v.minValue(0));
const whole = v.pipe(v.number(), v.integer(), v.minValue(0));
const toleranceEntries = {
  max_abs: v.exactOptional(positive),
  cosine: v.exactOptional(v.pipe(v.number(), v.minValue(-1), v.maxValue(1))),
  rtol: v.exactOptional(positive),
  atol: v.exactOptional(positive),
  argmax_agreement: v.exactOptional(v.pipe(v.number(), v.minValue(0), v.maxValue(1))),
};
const ownTolerance = v.optional(v.object(toleranceEntries), {});
const tensorEntries = { name: text, file: text, axes: v.array(text) };
const inputEntry = v.object(tensorEntries);
const stageEntry = v.object({
  ...tensorEntries,
  value: v.exactOptional(text),
  decisions: v.exactOptional(
    v.object({
      kind: v.picklist(['argmax', 'threshold', 'ranking', 'none']),
      threshold: v.exactOptional(v.pipe(v.number(), v.finite())),
      top: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(1))),
    }),
  ),
  tolerance: ownTolerance,
});
const stepEntry = v.object({ index: whole, firstFrame: whole, inputs: v.array(inputEntry), stages: v.array(stageEntry) });
const anyFields = v.record(v.string(), v.unknown());

/**
 * The manifest of a golden bundle. `scripts/goldenBundleSchema.ts` has the meaning of each field, separately, because pages load this
 * module.
 */
export const goldenManifestSchema = v.object({
  format: v.literal('golden-bundle'),
  version: v.literal(1),
  model: text,
  source: v.optional(anyFields, {}),
  graph: v.exactOptional(text),
  inputs: v.array(inputEntry),
  stages: v.array(stageEntry),
  tolerance: v.object(toleranceEntries),
  streaming: v.exactOptional(
    v.object({
      mode: text,
      settings: anyFields,
      features: ownTolerance,
      steps: v.pipe(v.array(stepEntry), v.minLength(1)),
    }),
  ),
});

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
