import { unzipSync } from 'fflate';
import * as v from 'valibot';
import { messageOf, VoxlaneError } from '../util/errors';
import type { Tolerance } from './compare';
import { parseNpy } from './npy';

/** A tensor of a bundle, float32, row-major. */
export interface GoldenTensor {
  readonly name: string;
  /** Name of each axis, as long as `shape`: `batch`, `channel`, `sample`, `frame`, `mel`, `class`. */
  readonly axes: readonly string[];
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** What one stage must give for the bundle's inputs. */
export interface GoldenStage extends GoldenTensor {
  /** Of this stage; what it does not say itself is the bundle's. */
  readonly tolerance: Tolerance;
}

/** Inputs of a model and what the original implementation gives for them, stage by stage. */
export interface GoldenBundle {
  /** Id of the model, as in `models/<id>/`. */
  readonly model: string;
  /** Where the values come from, as their writer told it. */
  readonly source: Readonly<Record<string, unknown>>;
  readonly inputs: readonly GoldenTensor[];
  /** In the order in which the model computes them. */
  readonly stages: readonly GoldenStage[];
}

const MANIFEST = 'manifest.json';
const MAX_MANIFEST_BYTES = 1 << 20;
/** More than any model's stages need, and little enough for a phone's tab. */
const MAX_UNPACKED_BYTES = 256 * 1024 * 1024;
/** A directory may claim billions of entries, each of which the reader would visit. */
const MAX_ENTRIES = 10_000;

const text = v.pipe(v.string(), v.nonEmpty());
const bound = v.pipe(v.number(), v.finite(), v.minValue(0));
const cosine = v.pipe(v.number(), v.minValue(-1), v.maxValue(1));
const argmaxEntry = { argmax_agreement: v.exactOptional(v.pipe(v.number(), v.minValue(0), v.maxValue(1))) };
const tensorEntries = { name: text, file: text, axes: v.array(text) };

const manifestSchema = v.object({
  format: v.literal('golden-bundle'),
  version: v.literal(1),
  model: text,
  source: v.optional(v.record(v.string(), v.unknown()), {}),
  inputs: v.array(v.object(tensorEntries)),
  stages: v.array(
    v.object({
      ...tensorEntries,
      // Only what differs from the bundle's.
      tolerance: v.optional(
        v.object({ max_abs: v.exactOptional(bound), cosine: v.exactOptional(cosine), ...argmaxEntry }),
        {},
      ),
    }),
  ),
  tolerance: v.object({ max_abs: bound, cosine, ...argmaxEntry }),
});

type BundleManifest = v.InferOutput<typeof manifestSchema>;
type TensorEntry = BundleManifest['inputs'][number];

/**
 * Reads a golden bundle: a zip with `manifest.json` and a `.npy` file for each input and stage.
 *
 * Memory is bounded whatever the zip claims: only files that the manifest names are unpacked, into buffers of the
 * sizes that the directory declares, 256 MiB together at most.
 *
 * @throws VoxlaneError `format` that says which part is missing, damaged, too large or of another kind
 */
export function readBundle(bytes: Uint8Array): GoldenBundle {
  const unpackedManifest = unpack(bytes, new Set([MANIFEST]), MAX_MANIFEST_BYTES).get(MANIFEST);
  if (!unpackedManifest) throw broken(`The bundle has no ${MANIFEST}`, `${MANIFEST} at the top of the zip`);
  const manifest = parseBundleManifest(unpackedManifest);
  const { inputs, stages, tolerance } = manifest;
  const files = unpack(bytes, new Set([...inputs, ...stages].map(({ file }) => file)), MAX_UNPACKED_BYTES);
  return {
    model: manifest.model,
    source: manifest.source,
    inputs: inputs.map((entry) => readTensor(entry, files)),
    stages: stages.map((entry) => ({
      ...readTensor(entry, files),
      tolerance: toTolerance({ ...tolerance, ...entry.tolerance }),
    })),
  };
}

/**
 * The input or stage called `name`.
 *
 * @throws VoxlaneError `format` where there is none
 */
export function tensorNamed<T extends GoldenTensor>(tensors: readonly T[], name: string): T {
  const found = tensors.find((tensor) => tensor.name === name);
  if (found) return found;
  const names = tensors.map((tensor) => tensor.name).join(', ');
  throw broken(`The bundle has no tensor named ${name}, only ${names || 'none at all'}`, 'a bundle of this model');
}

/** The files of a zip that are in `names`, at most `maxBytes` together. */
function unpack(zip: Uint8Array, names: ReadonlySet<string>, maxBytes: number): Map<string, Uint8Array> {
  let entries = 0;
  let total = 0;
  try {
    const files = unzipSync(zip, {
      // Called with the directory's claims before a file's buffer, which has exactly the claimed size, is made.
      filter: ({ name, originalSize }) => {
        if (++entries > MAX_ENTRIES) throw broken('The bundle has too many files', `${MAX_ENTRIES} at most`);
        if (!names.has(name)) return false;
        total += originalSize;
        if (total > maxBytes) {
          throw broken(`The bundle unpacks to ${total} bytes or more, at ${name}`, `${maxBytes} bytes at most`);
        }
        return true;
      },
    });
    return new Map(Object.entries(files));
  } catch (cause) {
    if (cause instanceof VoxlaneError) throw cause;
    throw broken(`The bundle cannot be unpacked: ${messageOf(cause)}`, 'a whole zip file', cause);
  }
}

function parseBundleManifest(bytes: Uint8Array): BundleManifest {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw broken(`${MANIFEST} is no JSON: ${messageOf(cause)}`, 'JSON text in UTF-8', cause);
  }
  const parsed = v.safeParse(manifestSchema, value);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw broken(
      `${MANIFEST} is not one of a golden bundle: ${v.getDotPath(issue) ?? 'the whole'}: ${issue.message}`,
      'format "golden-bundle" version 1',
    );
  }
  const { inputs, stages } = parsed.output;
  // An input and a stage may have one name. A file named often would be copied as often, past every bound.
  for (const labels of [namesOf(inputs), namesOf(stages), [...inputs, ...stages].map(({ file }) => file)]) {
    const twice = labels.find((label, index) => labels.indexOf(label) !== index);
    if (twice !== undefined) throw broken(`${MANIFEST} has ${twice} twice`, 'a name and a file for each tensor');
  }
  return parsed.output;
}

const namesOf = (entries: readonly TensorEntry[]): string[] => entries.map(({ name }) => name);

function readTensor({ name, file, axes }: TensorEntry, files: ReadonlyMap<string, Uint8Array>): GoldenTensor {
  const bytes = files.get(file);
  if (!bytes) throw broken(`The bundle has no ${file}, which its manifest names`, 'every named file in the zip');
  const { shape, data } = parseNpy(bytes, file);
  if (axes.length !== shape.length) {
    throw broken(`${file} has the shape (${shape.join(', ')}), but the axes ${axes.join(', ')}`, 'a name per axis');
  }
  if (data.length === 0) throw broken(`${file} holds no values: shape (${shape.join(', ')})`, 'at least one value');
  return { name, axes, shape, data };
}

function toTolerance({ max_abs, cosine, argmax_agreement }: BundleManifest['tolerance']): Tolerance {
  return {
    maxAbs: max_abs,
    cosine,
    ...(argmax_agreement !== undefined && { argmaxAgreement: argmax_agreement }),
  };
}

function broken(problem: string, expected: string, cause?: unknown): VoxlaneError {
  return new VoxlaneError(
    { code: 'format', problem, expected, remedy: 'Make the bundle again, such as with models/goldens.py' },
    { cause },
  );
}
