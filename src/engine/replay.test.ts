import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import segmentation from '../../models/segmentation-3.0/manifest.json';
import pldaManifest from '../../models/plda-community-1/manifest.json';
import { readPlda } from '../clustering/plda';
import { parseManifest } from '../store/manifest';
import { parsePldaManifest } from '../store/plda';
import { timeGeometry } from '../segmentation/geometry';
import { arrayDifference, type CaptureArray, readCapture, replay, turnDifference } from './replay';
import { bareCapture, buildNpz } from '../../test/engine/capture';

const GEOMETRY = timeGeometry(parseManifest('segmentation', segmentation, 'segmentation-3.0'));
const PLDA_BYTES = new Uint8Array(readFileSync(new URL('../../models/plda-community-1/plda.bin', import.meta.url)));
const PLDA = readPlda(parsePldaManifest(pldaManifest, 'plda-community-1'), PLDA_BYTES);

/** The bare capture with later arrays. */
function captureWith(arrays: Readonly<Record<string, CaptureArray>>) {
  return readCapture(new Map([...bareCapture(), ['reconstruction.npz', buildNpz(arrays)]]), GEOMETRY);
}

const number = (value: number): CaptureArray => ({ shape: [], data: Float64Array.of(value) });

describe('replay', () => {
  const bare = replay(readCapture(bareCapture(), GEOMETRY), PLDA, 'two people');

  test('of a capture without later stages compares nothing', () => {
    expect(bare.differences).toEqual([]);
    expect(bare.clusters.centroids).toHaveLength(2);
    expect(bare.rttm).toMatch(/^SPEAKER two_people 1 /);
  });

  test('reports only the wrong stages', () => {
    const { centroids } = bare.clusters;
    const shape = [centroids.length, centroids[0]!.length];
    const right = { shape, data: Float64Array.from(centroids.flatMap((row) => [...row])) };
    const wrong = { shape, data: right.data.map((value, i) => (i === 7 ? value + 1e-3 : value)) };
    const labels = bare.clusters.steps!.startLabels;
    const start = { shape: [labels.length], data: Float64Array.from(labels) };
    const disagreeing = (arrays: Record<string, CaptureArray>) =>
      replay(captureWith(arrays), PLDA, 'x').differences.filter(({ agrees }) => !agrees).map(({ stage }) => stage);
    expect(disagreeing({ centroids: right, ahc_init_labels: start })).toEqual([]);
    expect(disagreeing({ centroids: wrong, ahc_init_labels: start })).toEqual(['centroids']);
  });

  test('uses the settings of the capture', () => {
    const { options, geometry } = captureWith({ threshold: number(0.5), fb: number(3), chunk_step: number(2) });
    expect(options).toMatchObject({ threshold: 0.5, fb: 3, fa: 0.07 });
    expect(geometry.windows).toEqual({ durationSeconds: 10, stepSeconds: 2 });
  });
});

describe('captures that cannot be replayed', () => {
  test.each([
    ['min_duration_off', { min_duration_off: number(0.5) }],
    ['frame_start', { frame_start: number(1) }],
  ])('%s other than 0', (name, arrays) => {
    expect(() => captureWith(arrays)).toThrow(
      expect.objectContaining({ code: 'format', problem: expect.stringContaining(name) as string }),
    );
  });

  test.each([
    ['scores in place of activity', 'segmentations.npz', 'segmentations', [24, 4, 3], 0.5, 'values other than 0 and 1'],
    ['fewer windows than embeddings', 'segmentations.npz', 'segmentations', [3, 4, 3], 1, '(3, 4, 3)'],
    ['two axes', 'raw_embeddings.npz', 'embeddings', [4, 3], 1, 'the shape (4, 3)'],
    ['an array of another name', 'raw_embeddings.npz', 'something', [4, 3, 2], 1, 'has no array embeddings'],
  ])('%s', (_, file, name, shape, value, problem) => {
    const data = new Float64Array(shape.reduce((product, size) => product * size, 1)).fill(value);
    const files = new Map([...bareCapture(), [file, buildNpz({ [name]: { shape, data } })]]);
    expect(() => readCapture(files, GEOMETRY)).toThrow(
      expect.objectContaining({ code: 'format', problem: expect.stringContaining(problem) as string }),
    );
  });

  test('a damaged file', () => {
    const files = new Map([...bareCapture(), ['vbx_state.npz', Uint8Array.of(1, 2, 3)]]);
    expect(() => readCapture(files, GEOMETRY)).toThrow(expect.objectContaining({ code: 'format' }));
  });
});

describe('differences', () => {
  const captured = { shape: [3], data: Float64Array.of(2, -8, NaN) };
  const computed = { stage: 's', unit: 'absolute', shape: [3], limit: 1e-6 } as const;

  test('are relative to the maximum magnitude if their unit is relative', () => {
    const data = [2, -8 + 4e-6, NaN];
    expect(arrayDifference({ ...computed, data }, captured)).toMatchObject({ agrees: false });
    const relative = arrayDifference({ ...computed, unit: 'relative', data }, captured);
    expect(relative.agrees).toBe(true);
    expect(relative.greatest).toBeCloseTo(5e-7, 12);
  });

  test.each([
    ['NaN where the capture has a number', [NaN, -8, NaN], [3]],
    ['a number where the capture has NaN', [2, -8, 0], [3]],
    ['another shape', [2, -8], [2]],
  ])('%s never agrees', (_, data, shape) => {
    expect(arrayDifference({ ...computed, shape, data }, captured)).toMatchObject({ greatest: Infinity, agrees: false });
  });

  test('of turns are allowed one millisecond and no other speaker', () => {
    const turn = { startSeconds: 1, endSeconds: 2, speaker: 'A' };
    expect(turnDifference([{ ...turn, endSeconds: 2.001 }], [turn]).agrees).toBe(true);
    expect(turnDifference([{ ...turn, endSeconds: 2.002 }], [turn]).agrees).toBe(false);
    expect(turnDifference([{ ...turn, speaker: 'B' }], [turn]).agrees).toBe(false);
    expect(turnDifference([], [turn]).agrees).toBe(false);
  });
});

describe('the PLDA', () => {
  test('has the SHA-256 of its manifest', () => {
    expect(createHash('sha256').update(PLDA_BYTES).digest('hex')).toBe(pldaManifest.file.sha256);
  });

  test.each([
    ['arrays', { ...pldaManifest, arrays: pldaManifest.arrays.slice(1) }],
    ['latentSize', { ...pldaManifest, latentSize: 64 }],
    ['file.sha256', { ...pldaManifest, file: { ...pldaManifest.file, sha256: 'ABC' } }],
    ['task', { ...pldaManifest, task: 'embedding' }],
  ])('with a wrong %s is rejected', (_, manifest) => {
    expect(() => parsePldaManifest(manifest, 'm.json')).toThrow(expect.objectContaining({ code: 'model-invalid' }));
  });

  test('is rejected if truncated', () => {
    expect(() => readPlda(parsePldaManifest(pldaManifest, 'm'), PLDA_BYTES.subarray(8))).toThrow(
      expect.objectContaining({ code: 'model-altered' }),
    );
  });
});
