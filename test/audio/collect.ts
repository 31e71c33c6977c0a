import { concatenate } from '../../src/util/values';

/** Concatenates the pieces of a stream, axes (sample). */
export async function collect(pieces: AsyncIterable<Float32Array>): Promise<Float32Array> {
  const taken: Float32Array[] = [];
  for await (const piece of pieces) taken.push(piece.slice());
  return concatenate(taken);
}

/** Streams the items of an iterable. */
export async function* streamOf<T>(items: Iterable<T>): AsyncGenerator<T, void, undefined> {
  for (const item of items) yield await Promise.resolve(item);
}

/** A full-scale sine, axes (sample). */
export function tone(hertz: number, sampleRate: number, length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.sin((2 * Math.PI * hertz * i) / sampleRate));
}

/** Reproducible noise in [-1, 1), axes (sample). */
export function noise(length: number, seed = 1): Float32Array {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 0x8000_0000 - 1;
  });
}
