import { readBack } from '../gpu/context';
import type { Program } from '../gpu/program';
import type { FloatTensor } from '../ort/graph';
import type { OnValue } from '../ort/kernelGraph';
import { sizeOf } from '../util/shape';

/** A value of the graph that is complete after a number of dispatches. */
export interface Mark {
  readonly name: string;
  /** Number of dispatches of the program up to and including the one that completes the value. */
  readonly end: number;
  /** Float32 values, with usages COPY_SRC and COPY_DST. */
  readonly buffer: GPUBuffer;
  /** Axes as in the graph. */
  readonly shape: readonly number[];
  /** Place in the buffer of each value, in the row-major order of `shape`. */
  readonly placeOf: (index: number) => number;
}

/** The place of a vector at the start of a buffer, axes (batch, channel) with a batch of one. */
export const vectorAt = (buffer: GPUBuffer, numChannels: number): Omit<Mark, 'name' | 'end'> => ({ buffer, shape: [1, numChannels], placeOf: (i) => i });

/**
 * Runs a listed program in parts, for comparisons: reads each marked value back, reports it, and continues with the returned value, if
 * there is one. Does not check the values.
 *
 * @param marks in the order of their dispatches; the last one is the output, which is not reported
 * @returns the output, with the axes of its mark
 * @throws DOMException (OperationError, AbortError) if the device was lost meanwhile
 */
export async function traceProgram(device: GPUDevice, program: Program, marks: readonly Mark[], onValue: OnValue): Promise<FloatTensor> {
  let value: FloatTensor = { data: new Float32Array(0), shape: [0] };
  let first = 0;
  for (const [index, { name, end, buffer, shape, placeOf }] of marks.entries()) {
    const places = Uint32Array.from({ length: sizeOf(shape) }, (_, i) => placeOf(i));
    const numRead = places.reduce((most, place) => Math.max(most, place + 1), 0);
    const values = await readBack(device, buffer, 4 * numRead, (encoder) => { program.encode(encoder, first, end); });
    first = end;
    value = { data: Float32Array.from({ length: places.length }, (_, i) => values[places[i]!]!), shape };
    if (index === marks.length - 1) break;
    const other = onValue(name, value);
    if (!other) continue;
    for (const [i, place] of places.entries()) values[place] = other.data[i]!;
    device.queue.writeBuffer(buffer, 0, values as Float32Array<ArrayBuffer>);
  }
  return value;
}
