/** Converts weights once for the backend that will use them, tensor by tensor. The result is a safetensors file again. */
import type { ByteSink } from '../store/byteSink';
import { throwIfAborted, unlessAborted } from '../util/abort';
import { BYTES_PER_ELEMENT } from '../util/elementTypes';
import { openSha256 } from '../util/hash';
import { roundToFloat16 } from '../util/toFloat16';
import { type BoundTensor, type BoundWeights, checkValues, readBound, type ReadOptions, storedBytes } from './bind';
import type { ExpectedTensor } from './expected';
import { invalidWeights } from './failure';
import { channelScales, fineScales, quantize, quantizeRest } from './int8';
import { bytesNeeded, encodeHeader } from './safetensorsHeader';
import { faultOfValues } from './values';

/**
 * The form of converted weights.
 *
 * - `float32`: all tensors unchanged; a copy
 * - `float16`: weight matrices as float16; all other tensors stay float32. For WebGPU.
 * - `int8`: weight matrices as int8, each with float32 scales of its output channels in the tensor `NAME.scale`, and what this
 *   rounding left in the same way in `NAME.fine` and `NAME.fine.scale`, so a weight has 16 bits; all other tensors stay float32, and
 *   so do the matrices before the first and after the last layer norm. For WASM: ONNX Runtime converts them for each product, while it
 *   converts float16 once, which takes the memory of float32.
 */
export type WeightsForm = 'float32' | 'float16' | 'int8';

/** Name of the tensor with the scales of an int8 matrix. */
const scaleName = (matrix: string): string => `${matrix}.scale`;
/** Name of the int8 matrix with what the rounding of another one left. */
const fineName = (matrix: string): string => `${matrix}.fine`;

/** A complete converted file. */
export interface Converted {
  readonly bytes: number;
  readonly sha256: string;
}

/** A tensor to write, and the one that it is made from. */
interface Planned {
  readonly tensor: ExpectedTensor;
  readonly from: ExpectedTensor;
  readonly part: 'rounded' | 'coarse' | 'coarse scales' | 'fine' | 'fine scales' | 'same';
}

/**
 * The tensors of a converted file, to bind it like the original.
 *
 * @param expected the tensors of the graph
 */
export const convertedTensors = (expected: readonly ExpectedTensor[], form: WeightsForm): ExpectedTensor[] =>
  expected.flatMap((tensor) => planTensor(tensor, form)).map(({ tensor }) => tensor);

/** Size of the converted file in bytes, known before the original is downloaded. */
export function convertedBytes(expected: readonly ExpectedTensor[], form: WeightsForm): number {
  const tensors = convertedTensors(expected, form);
  const valueBytes = tensors.reduce((sum, { shape, type }) => sum + bytesNeeded(shape, type), 0);
  return headerOf(inFileOrder(expected, form), form, UNKNOWN_HASH).length + valueBytes;
}

/**
 * Checks all values, then converts the weights into `sink`. In memory are one tensor, its converted values, and the scales
 * of all matrices. Each tensor is read twice: no byte is written before all values are known to be finite, and the scales
 * precede the matrices in the file.
 *
 * @param bound of {@link bindWeights} or {@link bindRounded}
 * @param from SHA-256 of the original, for the converted file's metadata
 * @param options as in {@link checkValues}; progress counts both readings of the original
 * @returns length and hash of the file. After any error the sink is empty.
 * @throws VoxlaneError `model-invalid` for a tensor with wrong values, or with values that float16 cannot hold; `cancelled`;
 *   errors of the source and the sink
 */
export async function convertWeights(
  bound: BoundWeights,
  form: WeightsForm,
  from: string,
  sink: ByteSink,
  options: ReadOptions = {},
): Promise<Converted> {
  try {
    return await convert(bound, form, from, sink, options);
  } catch (error) {
    await sink.discard();
    throw error;
  }
}

async function convert(bound: BoundWeights, form: WeightsForm, from: string, sink: ByteSink, options: ReadOptions): Promise<Converted> {
  const { signal, onProgress } = options;
  const totalBytes = 2 * bound.valueBytes;
  const report = (doneBytes: number): void => onProgress?.({ doneBytes, totalBytes });
  const scales = new Map<string, Float32Array<ArrayBuffer>>();
  await checkValues(bound, { ...options, onProgress: ({ doneBytes }) => { report(doneBytes); } }, (tensor, { buffer }) => {
    if (isQuantized(tensor, form)) scales.set(tensor.name, channelScales(new Float32Array(buffer), tensor.shape, tensor.channelAxis));
  });

  const hash = await openSha256();
  let bytes = 0;
  const write = async (part: Uint8Array<ArrayBuffer>): Promise<void> => {
    throwIfAborted(signal);
    hash.update(part);
    bytes += part.length;
    await sink.write(part);
  };
  const planned = inFileOrder(bound.tensors, form);
  const byName = new Map(bound.tensors.map((tensor) => [tensor.name, tensor]));
  let doneBytes = bound.valueBytes;
  await write(headerOf(planned, form, from));
  /** Made with the coarse parts, so that no tensor is read a third time. The next tensor is almost always the fine part. */
  const fineParts = new Map<string, Int8Array<ArrayBuffer>>();
  for (const { from: { name }, part } of planned) {
    const tensor = byName.get(name)!;
    if (part === 'coarse scales') await write(bytesOf(scales.get(name)!));
    else if (part === 'fine scales') await write(bytesOf(fineScales(scales.get(name)!)));
    else if (part === 'fine') {
      await write(bytesOf(fineParts.get(name)!));
      fineParts.delete(name);
    } else {
      const values = await unlessAborted(signal, () => readBound(bound.file, tensor));
      doneBytes += storedBytes(tensor);
      if (part === 'coarse') {
        const { coarse, fine } = partsOf(new Float32Array(values.buffer), tensor, scales.get(name)!);
        fineParts.set(name, fine);
        await write(bytesOf(coarse));
      } else await write(part === 'same' ? values : roundTensor(values, tensor, bound));
      report(doneBytes);
    }
  }
  throwIfAborted(signal);
  const sha256 = hash.hex();
  await sink.finish(sha256);
  return { bytes, sha256 };
}

interface Int8Parts {
  readonly coarse: Int8Array<ArrayBuffer>;
  readonly fine: Int8Array<ArrayBuffer>;
}

function partsOf(values: Float32Array, { shape, channelAxis }: BoundTensor, scales: Float32Array): Int8Parts {
  const coarse = quantize(values, scales, shape, channelAxis!);
  return { coarse, fine: quantizeRest(values, scales, coarse, shape, channelAxis!) };
}

/** Rounds to float16. @param values little-endian, at the start of their buffer */
function roundTensor(values: Uint8Array<ArrayBuffer>, { name }: BoundTensor, { file }: BoundWeights): Uint8Array<ArrayBuffer> {
  const floats = new Float32Array(values.buffer);
  const { bits, overflowIndex } = roundToFloat16(floats);
  const of = `The tensor ${name} of ${file.source.name}`;
  if (overflowIndex >= 0) throw unfit(`${of} has the value ${floats[overflowIndex]} at position ${overflowIndex}, which float16 cannot hold`);
  const rounded = bytesOf(bits);
  // A tensor of zeros, which was accepted, stays one.
  if (faultOfValues(rounded, 'float16') && !faultOfValues(values, 'float32')) throw unfit(`${of} has only values that float16 rounds to zero`);
  return rounded;
}

function unfit(problem: string): Error {
  return invalidWeights(problem, 'values of float16: up to 65504, and not all below 3e-8', 'Use a backend that keeps float32 or int8 weights: wasm');
}

const isQuantized = <Tensor extends ExpectedTensor>(tensor: Tensor, form: WeightsForm): tensor is Tensor & { readonly channelAxis: number } =>
  form === 'int8' && tensor.type === 'float32' && tensor.channelAxis !== null && tensor.isOuter !== true;

/** What becomes of a tensor. */
function planTensor(from: ExpectedTensor, form: WeightsForm): Planned[] {
  const { name, type, shape, channelAxis } = from;
  if (form === 'float32' || type !== 'float32' || channelAxis === null) return [{ tensor: from, from, part: 'same' }];
  if (form === 'float16') return [{ tensor: { ...from, type: 'float16' }, from, part: 'rounded' }];
  if (!isQuantized(from, form)) return [{ tensor: from, from, part: 'same' }];
  const scalesOf = (matrix: string): ExpectedTensor => ({ name: scaleName(matrix), type: 'float32', shape: [shape[channelAxis]!], channelAxis: null });
  return [
    { tensor: { ...from, type: 'int8' }, from, part: 'coarse' },
    { tensor: scalesOf(name), from, part: 'coarse scales' },
    { tensor: { ...from, name: fineName(name), type: 'int8', isRest: true }, from, part: 'fine' },
    { tensor: scalesOf(fineName(name)), from, part: 'fine scales' },
  ];
}

/**
 * The order of the reference implementation: larger types first, so that every tensor begins at a multiple of its element
 * size, then by name. Tensors of each type are read from the start of an original in this order to its end.
 */
const inFileOrder = (expected: readonly ExpectedTensor[], form: WeightsForm): Planned[] =>
  expected.flatMap((tensor) => planTensor(tensor, form)).sort(({ tensor: a }, { tensor: b }) => {
    const larger = BYTES_PER_ELEMENT[b.type] - BYTES_PER_ELEMENT[a.type];
    return larger === 0 ? (a.name < b.name ? -1 : 1) : larger;
  });

/** Stands for a hash of the same length. */
const UNKNOWN_HASH = '0'.repeat(64);

const headerOf = (planned: readonly Planned[], form: WeightsForm, from: string): Uint8Array<ArrayBuffer> =>
  encodeHeader(planned.map(({ tensor }) => tensor), { form, from });

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView<ArrayBuffer>): Uint8Array<ArrayBuffer> =>
  new Uint8Array(buffer, byteOffset, byteLength);
