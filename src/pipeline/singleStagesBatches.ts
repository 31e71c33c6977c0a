import { takeBatch, type WindowBatch } from '../audio/batches';
import { contiguous } from '../audio/blocks';
import { cutWindows } from '../audio/windows';
import { VoxlaneError } from '../util/errors';
import { halvedToFit } from './batchSize';
import type { Engine } from './engine';

/** Consecutive windows, as a model takes them at a time. */
export interface StageBatch {
  /** Axes (window, sample), float32. */
  readonly windows: Float32Array;
  readonly numWindows: number;
  /** Index of the first of them in the recording. */
  readonly from: number;
}

/**
 * Cuts samples into windows as the pipeline does, and hands them on in batches, which are as small as the GPU's memory
 * wants them. Only windows that are at work are in memory.
 *
 * @param samples axes (sample), at the model's rate
 * @param lanes batches at work at a time
 * @param work may be called again for a part of a batch that was too large
 * @throws VoxlaneError `audio-not-finite`, and what `work` throws
 */
export async function eachBatch(
  engine: Engine,
  samples: Float32Array,
  lanes: number,
  work: (batch: StageBatch) => Promise<void>,
): Promise<void> {
  const { windowSamples } = engine.segmentationManifest;
  const batches = batchesOf(engine, samples);
  const lane = async (): Promise<void> => {
    try {
      for (let step = await batches.next(); !step.done; step = await batches.next()) {
        const { windows, numWindows, from } = step.value;
        await halvedToFit(numWindows, engine.batchWindows, isMemoryError, (first, end) =>
          work({
            // A copy where it is a part: a view would carry the whole batch across.
            windows: end - first === numWindows ? windows : windows.slice(first * windowSamples, end * windowSamples),
            numWindows: end - first,
            from: from + first,
          }),
        );
      }
    } catch (error) {
      // The other lanes end with what they are at.
      await batches.return();
      throw error;
    }
  };
  const running = Array.from({ length: lanes }, lane);
  await Promise.allSettled(running);
  await Promise.all(running);
}

async function* batchesOf(engine: Engine, samples: Float32Array): AsyncGenerator<WindowBatch & { readonly from: number }, void, undefined> {
  const { sampleRate, windowSamples, hopSamples } = engine.segmentationManifest;
  const pieces = contiguous([{ startFrame: 0, samples }], sampleRate, 0, samples.length);
  const windows = cutWindows(pieces, { windowSamples, hopSamples });
  let from = 0;
  for (;;) {
    const batch = await takeBatch(windows, engine.batchWindows.current);
    if (!batch) return;
    yield { ...batch, from };
    from += batch.numWindows;
  }
}

/** Some of the windows, side by side. */
export function pickWindows<Values extends Float32Array | Uint8Array>(values: Values, windows: readonly number[], size: number): Values {
  const picked = new (values.constructor as new (length: number) => Values)(windows.length * size);
  windows.forEach((window, index) => { picked.set(values.subarray(window * size, (window + 1) * size), index * size); });
  return picked;
}

function isMemoryError(error: unknown): boolean {
  return error instanceof VoxlaneError && error.code === 'gpu-memory';
}
