/**
 * Compares the kernels without relaxed SIMD, as used in Safari, with PyTorch cell by cell on two reference recordings.
 * e2e/full/pyannote.spec.ts covers all recordings with relaxed SIMD in Chromium.
 */
import { openAsBlob, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import facts from '../../models/segmentation-3.0/manifest.json';
import { NO_SHARED, readNpz, SHARED } from '../shared';
import { cutWindows, takeBatch } from '../../src/audio/windows';
import { openAudio } from '../../src/audio/decode';
import { parseManifest } from '../../src/store/manifest';
import { powersetToMultilabel } from '../../src/segmentation/segment';
import { PyannetNet } from '../../src/segmentation/pyannetNet';
import { describeUnless } from '../skips';

const manifest = parseManifest('segmentation', facts, 'segmentation-3.0');
const RECORDINGS: readonly (readonly [name: string, path: string])[] = [
  ['sample', join('public', 'sample.wav')],
  ['dev00', join(SHARED, 'audio', 'dev00.wav')],
];
/** Windows per batch, as in the pipeline. */
const BATCH = 4;
const NUM_CELLS = 75_981;


describeUnless(NO_SHARED)('segmentation-3.0 on the kernels without relaxed SIMD', () => {
  it("matches PyTorch on the reference recordings", { timeout: 600_000 }, async () => {
    const net = PyannetNet.open(readFileSync('models/segmentation-3.0/model.onnx'), manifest, 'plain');
    let [numCells, numDifferent] = [0, 0];
    for (const [name, path] of RECORDINGS) {
      const expected = readNpz(join(SHARED, 'reference', `${name}.npz`)).segmentations!.data;
      const audio = await openAudio(await openAsBlob(path), manifest);
      const windows = cutWindows(audio.pieces(), manifest);
      let cell = 0;
      for (;;) {
        const batch = await takeBatch(windows, BATCH);
        if (!batch) break;
        const scores = net.compute({ data: batch.windows, shape: [batch.numWindows, 1, manifest.windowSamples] });
        const activity = powersetToMultilabel(scores.data, manifest.powerset.mapping);
        for (const value of activity) if (value !== expected[cell++]) numDifferent++;
      }
      expect(cell, name).toBe(expected.length);
      numCells += cell;
    }
    console.log(`${numDifferent} of ${numCells} cells differ from PyTorch's`);
    expect(numCells).toBe(NUM_CELLS);
    expect(numDifferent).toBe(0);
  });
});
