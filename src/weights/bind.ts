import { unlessAborted } from '../util/abort';
import { halfToFloat32 } from '../util/numberTypes';
import { shapeText } from '../util/shape';
import type { ExpectedTensor } from './expected';
import { invalidWeights } from './failure';
import { readTensor, type SafetensorsFile, type StoredTensor } from './safetensors';
import { faultOfValues } from './values';

/** A tensor of a graph and its place in the file. */
export interface BoundTensor extends ExpectedTensor {
  /** Of the same type, except float16 for float32 after {@link bindRounded}. */
  readonly stored: StoredTensor;
}

/** All weights of a graph, each with its place in one file. */
export interface BoundWeights {
  readonly file: SafetensorsFile;
  /** In graph order, none missing. */
  readonly tensors: readonly BoundTensor[];
  /** Sum of the stored values of all tensors. */
  readonly valueBytes: number;
}

/** Progress of reading or writing weights. */
export interface WeightsProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** Options of {@link checkValues} and {@link loadWeights}. */
export interface ReadOptions {
  /**
   * Accepts tensors of zeros: for a file of known hash, whose zeros are its author's. Zeros in an unknown file mean that
   * something was not trained or not saved.
   */
  readonly allowZeros?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Called for each tensor. */
  readonly onProgress?: ((progress: WeightsProgress) => void) | undefined;
}

/** Maximum number of tensor names in an error. */
const MAX_NAMES = 3;

/**
 * Finds each tensor of a graph in the file, by name. Values are not read.
 *
 * @throws VoxlaneError `model-invalid` if a tensor is missing or left over, or has another type or shape
 */
export function bindWeights(file: SafetensorsFile, expected: readonly ExpectedTensor[]): BoundWeights {
  checkNames(file, expected);
  const tensors = expected.map((tensor): BoundTensor => ({ ...tensor, stored: file.tensors.get(tensor.name)! }));
  const wrong = tensors.filter(({ type, shape, stored }) => stored.type !== type || !isSameShape(shape, stored.shape));
  if (wrong[0]) throw otherForm(file, wrong[0], wrong.length - 1);
  return { file, tensors, valueBytes: tensors.reduce((sum, tensor) => sum + storedBytes(tensor), 0) };
}

/**
 * Finds each tensor of a graph in a file that was converted to float16. Its values are then read as those of the graph: float16
 * becomes float32, which has all of its values.
 *
 * @param expected the tensors of the graph
 * @param rounded the tensors of the file, of `convertedTensors`
 * @throws VoxlaneError `model-invalid` as {@link bindWeights}
 */
export function bindRounded(file: SafetensorsFile, expected: readonly ExpectedTensor[], rounded: readonly ExpectedTensor[]): BoundWeights {
  const { valueBytes } = bindWeights(file, rounded);
  return { file, tensors: expected.map((tensor) => ({ ...tensor, stored: file.tensors.get(tensor.name)! })), valueBytes };
}

/** Reads the values of a tensor, in the type of the graph: row-major, little-endian. @throws errors of the source */
export async function readBound(file: SafetensorsFile, { type, stored }: BoundTensor): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await readTensor(file, stored);
  return stored.type === 'float16' && type === 'float32' ? new Uint8Array(halfToFloat32(bytes).buffer as ArrayBuffer) : bytes;
}

/** Size of a tensor in its file. */
export const storedBytes = ({ stored }: BoundTensor): number => stored.end - stored.start;

/**
 * Reads every tensor once, in the order of the file, and checks its values: one tensor in memory at a time.
 *
 * @param onTensor receives the values of each tensor
 * @throws VoxlaneError `model-invalid` if a tensor has NaN or infinite values, or only zeros although it is not what a rounding left;
 *   `cancelled`; errors of the source
 */
export async function checkValues(
  { file, tensors, valueBytes }: BoundWeights,
  { allowZeros = false, signal, onProgress }: ReadOptions = {},
  onTensor?: (tensor: BoundTensor, bytes: Uint8Array<ArrayBuffer>) => void,
): Promise<void> {
  let doneBytes = 0;
  // A stored file is read in pieces that hold several small tensors.
  for (const tensor of tensors.toSorted((a, b) => a.stored.start - b.stored.start)) {
    const bytes = await unlessAborted(signal, () => readBound(file, tensor));
    const fault = faultOfValues(bytes, tensor.type);
    if (fault !== null && !(fault.kind === 'zeros' && (allowZeros || tensor.isRest === true))) {
      throw invalidWeights(
        `The tensor ${tensor.name} of ${file.source.name} ${fault.text}`,
        'finite numbers that are not all zero',
        'Download the file again, or save it again from a trained model',
      );
    }
    onTensor?.(tensor, bytes);
    doneBytes += storedBytes(tensor);
    onProgress?.({ doneBytes, totalBytes: valueBytes });
  }
}

/**
 * Loads all weights into memory: the values of each tensor by name, row-major and little-endian, in graph order. If one cannot be read or
 * its values are wrong, nothing is returned, so a model never runs with some of its weights.
 *
 * @throws errors of {@link checkValues}
 */
export async function loadWeights(bound: BoundWeights, options: ReadOptions = {}): Promise<ReadonlyMap<string, Uint8Array<ArrayBuffer>>> {
  const loaded = new Map<string, Uint8Array<ArrayBuffer>>();
  await checkValues(bound, options, ({ name }, bytes) => {
    loaded.set(name, bytes);
  });
  return new Map(bound.tensors.map(({ name }) => [name, loaded.get(name)!]));
}

const isSameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((size, axis) => size === b[axis]);

function checkNames({ source, tensors }: SafetensorsFile, expected: readonly ExpectedTensor[]): void {
  const wanted = new Set(expected.map(({ name }) => name));
  const missing = [...wanted].filter((name) => !tensors.has(name));
  const others = [...tensors.keys()].filter((name) => !wanted.has(name));
  if (missing.length === 0 && others.length === 0) return;
  const clauses = [
    ...(missing.length > 0 ? [`lacks ${missing.length} of the ${wanted.size} tensors of the graph: ${listed(missing)}`] : []),
    ...(others.length > 0 ? [`has ${others.length} that the graph does not use: ${listed(others)}`] : []),
  ];
  throw invalidWeights(
    `${source.name} ${clauses.join(', and ')}`,
    'exactly the tensors of the graph, with their names',
    'Use the file of weights that belongs to this model',
  );
}

function otherForm(file: SafetensorsFile, { name, type, shape, stored }: BoundTensor, numOthers: number): Error {
  const more = numOthers === 0 ? '' : `; ${numOthers} more ${numOthers === 1 ? 'tensor differs' : 'tensors differ'} too`;
  const isTransposed = isSameShape(shape.toReversed(), stored.shape) && shape.length > 1;
  const found = stored.type === type
    ? `has the shape ${shapeText(stored.shape)}${isTransposed ? ', as if it was transposed' : ''}`
    : `has the type ${stored.type}`;
  return invalidWeights(
    `The tensor ${name} of ${file.source.name} ${found}${more}`,
    `${type} values of the shape ${shapeText(shape)}`,
    'Use the file of weights that belongs to this model, as it was published',
  );
}

function listed(names: readonly string[]): string {
  const rest = names.length - MAX_NAMES;
  return names.slice(0, MAX_NAMES).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
