import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { SHARED, readNpz } from '../shared';

const captures = join(SHARED, 'captures');

/** Embeddings of all active local speakers in the captures. */
export function capturedEmbeddings(): Float32Array[] {
  return readdirSync(captures).flatMap((name) => {
    const { embeddings } = readNpz(join(captures, name, 'raw_embeddings.npz'));
    const { segmentations } = readNpz(join(captures, name, 'segmentations.npz'));
    const [numWindows = 0, numSpeakers = 0, dimension = 0] = embeddings!.shape;
    const numFrames = segmentations!.shape[1]!;
    const data = Float32Array.from(embeddings!.data);
    const activeFrames = new Int32Array(numWindows * numSpeakers);
    Array.from(segmentations!.data).forEach((value, index) => {
      const window = Math.floor(index / (numFrames * numSpeakers));
      activeFrames[window * numSpeakers + (index % numSpeakers)]! += value;
    });
    return [...activeFrames.keys()]
      .filter((row) => activeFrames[row]! > 0.2 * numFrames)
      .map((row) => data.subarray(row * dimension, (row + 1) * dimension));
  });
}
