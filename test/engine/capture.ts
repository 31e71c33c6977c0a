import { zipSync } from 'fflate';
import { buildNpy } from '../compare/npyFile';
import { seededNormal } from '../clustering/random';
import type { CaptureArray } from '../../src/engine/replay';

/** Frames per window of segmentation-3.0. */
export const FRAMES_PER_WINDOW = 589;
const NUM_WINDOWS = 24;
const NUM_SPEAKERS = 3;
const DIMENSION = 256;

/** Builds an `.npz` file of float64 arrays. */
export function buildNpz(arrays: Readonly<Record<string, CaptureArray>>): Uint8Array {
  const entries = Object.entries(arrays).map(([name, { shape, data }]) => {
    const bytes = new Uint8Array(Float64Array.from(data).buffer);
    return [`${name}.npy`, buildNpy(shape, bytes, { descr: '<f8' })] as const;
  });
  return zipSync(Object.fromEntries(entries));
}

/** A capture of two speakers who alternate every three windows, with only the model outputs. */
export function bareCapture(): Map<string, Uint8Array> {
  const normal = seededNormal(5);
  const voices = [0, 1].map(() => Float64Array.from({ length: DIMENSION }, () => 0.1 * normal()));
  const embeddings = new Float64Array(NUM_WINDOWS * NUM_SPEAKERS * DIMENSION).fill(NaN);
  const segmentations = new Float64Array(NUM_WINDOWS * FRAMES_PER_WINDOW * NUM_SPEAKERS);
  for (let window = 0; window < NUM_WINDOWS; window++) {
    for (const local of [0, 1]) {
      const voice = voices[(window + local) % 2]!;
      embeddings.set(voice.map((value) => value + 0.02 * normal()), (window * NUM_SPEAKERS + local) * DIMENSION);
      // Two speakers, one in each half of the window.
      for (let frame = 0; frame < FRAMES_PER_WINDOW / 2 - 20; frame++) {
        const at = frame + (local === 0 ? 0 : Math.ceil(FRAMES_PER_WINDOW / 2));
        segmentations[(window * FRAMES_PER_WINDOW + at) * NUM_SPEAKERS + local] = 1;
      }
    }
  }
  return new Map([
    ['raw_embeddings.npz', buildNpz({ embeddings: { shape: [NUM_WINDOWS, NUM_SPEAKERS, DIMENSION], data: embeddings } })],
    [
      'segmentations.npz',
      buildNpz({ segmentations: { shape: [NUM_WINDOWS, FRAMES_PER_WINDOW, NUM_SPEAKERS], data: segmentations } }),
    ],
  ]);
}
