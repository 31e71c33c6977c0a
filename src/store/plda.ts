import * as v from 'valibot';
import { describeIssue } from '../util/describeIssue';
import { VoxlaneError } from '../util/errors';
import { addressIn, type FileBase } from '../util/fileBase';
import { MANIFEST_NAMES, withPresentNames } from '../util/formerNames';
import { fetchChecked, fetchJson } from './load';

const count = v.pipe(v.number(), v.integer(), v.minValue(1));
const text = v.pipe(v.string(), v.nonEmpty());
const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits'));

/**
 * Arrays of each form of PLDA, and the size of each of their axes. `lda` is the form of pyannote's `vbx_setup`, which
 * reduces the dimension first. `two-covariance` does not reduce it.
 */
const AXES_OF_ARRAYS = {
  lda: {
    embeddingMean: ['embedding'],
    discriminant: ['embedding', 'discriminant'],
    discriminantMean: ['discriminant'],
    latentMean: ['discriminant'],
    latent: ['discriminant', 'latent'],
    betweenCovariance: ['latent'],
  },
  'two-covariance': {
    embeddingMean: ['embedding'],
    normalizedMean: ['embedding'],
    latent: ['embedding', 'latent'],
    betweenCovariance: ['latent'],
  },
} as const;

type PldaForm = keyof typeof AXES_OF_ARRAYS;

const FORMS = Object.keys(AXES_OF_ARRAYS) as PldaForm[];

const axesOf = (form: PldaForm): Readonly<Record<string, readonly string[]>> => AXES_OF_ARRAYS[form];

const arraySchema = v.object({
  name: text,
  axes: v.array(text),
  shape: v.array(count),
});

const BYTES_PER_FLOAT64 = 8;
const numValues = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

const pldaSchema = v.pipe(
  v.object({
    /** Same as the name of the folder. */
    id: text,
    task: v.literal('plda'),
    /** The concatenated arrays, next to the manifest. */
    file: v.object({ name: text, bytes: count, sha256 }),
    /** SPDX identifier. */
    license: text,
    attribution: text,
    /** Source of converted arrays. */
    origin: v.exactOptional(v.object({ package: text, path: text, sha256, url: text, revision: text })),
    /** Training data, if the arrays were trained for this release. */
    training: v.exactOptional(v.object({ script: text, corpus: text, speakers: count, embeddings: count, embeddingModel: sha256 })),
    form: v.optional(v.picklist(FORMS), 'lda'),
    /** Size of the input embeddings. */
    embeddingSize: count,
    /** Size of the output. */
    latentSize: count,
    /** Little-endian, row-major. */
    dtype: v.literal('float64'),
    /** In file order, without gaps. */
    arrays: v.array(arraySchema),
  }),
  v.check(
    ({ arrays, form }) => arrays.map(({ name }) => name).sort().join() === Object.keys(axesOf(form)).sort().join(),
    'must list each array of its form once',
  ),
  v.check(
    ({ arrays, form, embeddingSize, latentSize }) =>
      arrays.every(({ name, shape, axes }) => {
        const expected = axesOf(form)[name] ?? [];
        const sizes = expected.map((axis) => (axis === 'embedding' ? embeddingSize : latentSize));
        return axes.join() === expected.join() && shape.join() === sizes.join();
      }),
    'must list the axes of every array with the sizes of embeddingSize and latentSize',
  ),
  v.check(({ origin, training }) => (origin === undefined) !== (training === undefined), 'must have either an origin or a training'),
  v.check(
    ({ arrays, file }) =>
      arrays.reduce((bytes, { shape }) => bytes + BYTES_PER_FLOAT64 * numValues(shape), 0) === file.bytes,
    'must have a file of the total length of its arrays',
  ),
);

/** Facts of a probabilistic linear discriminant analysis for the embeddings of one model. */
export type PldaManifest = v.InferOutput<typeof pldaSchema>;

/**
 * Validates a manifest.
 *
 * @throws VoxlaneError `model-invalid` with the first invalid field
 */
export function parsePldaManifest(value: unknown, address: string): PldaManifest {
  const parsed = v.safeParse(pldaSchema, withPresentNames(value, MANIFEST_NAMES));
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new VoxlaneError({
    code: 'model-invalid',
    problem: `The manifest ${address} is not valid for a PLDA: ${v.getDotPath(issue) ?? 'the whole file'}: ${describeIssue(issue)}`,
    expected: 'the fields written by models/plda-community-1/convert.py and models/plda-campplus-zh-en/train.py',
    remedy: 'Create the files again with one of these scripts',
  });
}

/**
 * Reads the arrays of a PLDA file by name, row-major. The caller verifies the file's hash.
 *
 * @param form supported by the caller
 * @throws VoxlaneError `model-altered` if the file's length differs from its manifest, `model-invalid` for another
 *   form
 */
export function readPldaArrays<Form extends PldaForm>(
  manifest: PldaManifest,
  form: Form,
  bytes: Uint8Array,
): Record<keyof (typeof AXES_OF_ARRAYS)[Form], Float64Array> {
  if (manifest.form !== form) {
    throw new VoxlaneError({
      code: 'model-invalid',
      problem: `The PLDA ${manifest.id} has the form ${manifest.form}`,
      expected: `the form ${form}`,
      remedy: 'Select another PLDA in the settings of the preset',
    });
  }
  if (bytes.length !== manifest.file.bytes) {
    throw new VoxlaneError({
      code: 'model-altered',
      problem: `The PLDA file ${manifest.file.name} has ${bytes.length} bytes`,
      expected: `${manifest.file.bytes} bytes, as in its manifest`,
      remedy: 'Install the file again: it was truncated, changed or replaced',
    });
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let offset = 0;
  const entries = manifest.arrays.map(({ name, shape }) => {
    const start = offset;
    const values = Float64Array.from({ length: numValues(shape) }, (_, index) =>
      view.getFloat64(start + BYTES_PER_FLOAT64 * index, true),
    );
    offset += BYTES_PER_FLOAT64 * values.length;
    return [name, values] as const;
  });
  // The schema ensures that every array of the form is present.
  return Object.fromEntries(entries) as Record<keyof (typeof AXES_OF_ARRAYS)[Form], Float64Array>;
}

/**
 * Fetches a PLDA and verifies its length and SHA-256.
 *
 * @param base holds `<id>/manifest.json`
 * @throws VoxlaneError `model-missing`, `model-altered` or `model-invalid`
 */
export async function loadPldaFile(
  id: string,
  base: FileBase,
): Promise<{ manifest: PldaManifest; bytes: Uint8Array<ArrayBuffer> }> {
  const address = addressIn(base, `${id}/manifest.json`);
  const manifest = parsePldaManifest(await fetchJson(address), address);
  return { manifest, bytes: await fetchChecked(addressIn(base, `${id}/${manifest.file.name}`), manifest.file) };
}
