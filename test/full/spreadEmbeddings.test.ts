/** Similarity of the embeddings of `fast` and `exact` on real speech. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { NO_SHARED, readNpz, SHARED } from '../shared';
import { parseManifest } from '../../src/store/manifest';
import { timeGeometry } from '../../src/segmentation/geometry';
import { minCleanFrames } from '../../src/embedding/mask';
import { spreadEmbeddings } from '../../src/timeline/assembler';
import { CAMPPLUS, COMMUNITY_1 } from '../../src/engine/settings';
import { describeUnless } from '../skips';

/** Embeddings of recordings per window, with the activity used for them. */
const MODELS = [
  {
    model: 'CAM++',
    embeddingId: 'campplus-zh-en',
    hop: CAMPPLUS.fastEmbedHop,
    recordings: ['sample', 'dev00', 'dev01', 'trn00', 'trn02', 'trn03', 'trn04'].map((name) => {
      const path = join(SHARED, 'reference', `${name}.npz`);
      return { activity: path, embeddings: path };
    }),
  },
  {
    model: 'ResNet34',
    embeddingId: 'wespeaker-resnet34-lm',
    hop: COMMUNITY_1.fastEmbedHop,
    recordings: ['02_pyannote_sample', '03_dual_speaker', '04_three_speaker', '05_four_speaker'].map((name) => ({
      activity: join(SHARED, 'captures', name, 'segmentations.npz'),
      embeddings: join(SHARED, 'captures', name, 'raw_embeddings.npz'),
    })),
  },
];


const readManifest = <Task extends 'segmentation' | 'embedding'>(task: Task, id: string) =>
  parseManifest(task, JSON.parse(readFileSync(new URL(`../../models/${id}/manifest.json`, import.meta.url), 'utf8')), id);

describeUnless(NO_SHARED)('spread embeddings of real speech', () => {
  test.each(MODELS)('$model: they are similar to the embeddings that they replace', ({ model, embeddingId, hop, recordings }) => {
    const segmentation = readManifest('segmentation', 'segmentation-3.0');
    const { minSamples, embeddingSize: dimension } = readManifest('embedding', embeddingId);
    const { numFrames, windowSamples, powerset } = segmentation;
    const numSpeakers = powerset.numSpeakers;
    const own: number[] = [];
    const others: number[] = [];
    for (const paths of recordings) {
      const activity = Uint8Array.from(readNpz(paths.activity).segmentations!.data);
      const exact = Float32Array.from(readNpz(paths.embeddings).embeddings!.data);
      const numWindows = exact.length / (numSpeakers * dimension);
      const windowOf = (row: number) => Math.floor(row / numSpeakers);
      const embedded = Uint8Array.from({ length: numWindows }, (_, window) => (window % hop === 0 || window === numWindows - 1 ? 1 : 0));
      const rowOf = (values: Float32Array, row: number) => values.subarray(row * dimension, (row + 1) * dimension);
      const spread = spreadEmbeddings({
        activity,
        embeddings: exact.map((value, index) => (embedded[windowOf(Math.floor(index / dimension))] ? value : NaN)),
        embedded,
        numSpeakers,
        dimension,
        geometry: timeGeometry(segmentation),
        minCleanFrames: minCleanFrames(numFrames, windowSamples, minSamples),
      });
      const talks = (row: number) => {
        const cells = numFrames * numSpeakers;
        const window = activity.subarray(windowOf(row) * cells, (windowOf(row) + 1) * cells);
        return window.some((value, cell) => value === 1 && cell % numSpeakers === row % numSpeakers);
      };
      for (let row = 0; row < numWindows * numSpeakers; row++) {
        if (embedded[windowOf(row)] || Number.isNaN(rowOf(spread, row)[0]) || Number.isNaN(rowOf(exact, row)[0])) continue;
        own.push(cosine(rowOf(exact, row), rowOf(spread, row)));
        for (let other = windowOf(row) * numSpeakers; other < (windowOf(row) + 1) * numSpeakers; other++) {
          if (other !== row && talks(other)) others.push(cosine(rowOf(exact, other), rowOf(spread, row)));
        }
      }
    }
    const at = (values: readonly number[], part: number) => values.toSorted((a, b) => a - b)[Math.floor(part * values.length)]!;
    console.log(
      `${model}: ${own.length} embeddings of ${recordings.length} recordings: cosine to exact, median ${at(own, 0.5).toFixed(3)}, ` +
        `5th percentile ${at(own, 0.05).toFixed(3)}; to others in the same window, median ${at(others, 0.5).toFixed(3)}`,
    );
    expect(own.length).toBeGreaterThan(100);
    // Two segments of the same speaker have a similar cosine. The lowest values belong to local speakers with few frames,
    // whose exact embeddings are also unreliable.
    expect(at(own, 0.5)).toBeGreaterThan(0.9);
    expect(at(own, 0.25)).toBeGreaterThan(at(others, 0.5));
  });
});

function cosine(a: Float32Array, b: Float32Array): number {
  let [dot, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    dot += a[i]! * b[i]!;
    aa += a[i]! ** 2;
    bb += b[i]! ** 2;
  }
  return dot / Math.sqrt(aa * bb);
}
