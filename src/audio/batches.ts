import type { AudioWindow } from './windows';

/** Consecutive windows of a recording. */
export interface WindowBatch {
  /** Axes (window, sample), float32. */
  readonly windows: Float32Array;
  readonly numWindows: number;
  /** No window follows. */
  readonly isLast: boolean;
}

/** Takes up to `count` windows from `source`; null where there are none left. */
export async function takeBatch(source: AsyncIterator<AudioWindow>, count: number): Promise<WindowBatch | null> {
  const taken: Float32Array[] = [];
  let isLast = false;
  while (taken.length < count && !isLast) {
    const step = await source.next();
    if (step.done) break;
    taken.push(step.value.samples);
    isLast = step.value.isLast;
  }
  const [first] = taken;
  if (!first) return null;
  const windows = new Float32Array(taken.length * first.length);
  taken.forEach((samples, index) => { windows.set(samples, index * first.length); });
  return { windows, numWindows: taken.length, isLast };
}
