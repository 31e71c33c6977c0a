import { expect, it } from 'vitest';
import type { Speaker } from './types';
import { voiceSimilarity } from './assembly';

const speaker = (embeddingModel: string, ...centroid: number[]): Speaker => ({
  label: 'SPEAKER_00',
  centroid: Float32Array.from(centroid),
  embeddingModel,
  speechSeconds: 1,
});

it('is the cosine of the angle', () => {
  expect(voiceSimilarity(speaker('a', 1, 1), speaker('a', 2, 2))).toBeCloseTo(1, 12);
  expect(voiceSimilarity(speaker('a', 1, 0), speaker('a', 0, 3))).toBe(0);
  expect(voiceSimilarity(speaker('a', 1, 0), speaker('a', -2, 0))).toBe(-1);
  expect(voiceSimilarity(speaker('a', 0, 0), speaker('a', 1, 0))).toBeNaN();
});

it('rejects embeddings of two models, even with equal dimensions', () => {
  expect(() => voiceSimilarity(speaker('a', 1, 0), speaker('b', 1, 0))).toThrow(/model a.*uses b/);
});
