import { expect, test } from 'vitest';
import { isOver } from './figure';
import { figuresOf, nemotronHours } from './nemotronHours';
import type { PartFigures } from './nemotronProcess';

/** Twelve quarters of an hour. */
const parts = (change: (part: number) => Partial<PartFigures>): PartFigures[] =>
  Array.from({ length: 12 }, (_, part) => ({
    audioSeconds: 900 * (part + 1),
    wallSeconds: 50,
    cpuSeconds: 90,
    residentMegabytes: 600,
    usedMegabytes: 180,
    wasmMegabytes: 181,
    ...change(part),
  }));

const over = (change: (part: number) => Partial<PartFigures>): string[] => {
  const values = figuresOf(parts(change));
  return nemotronHours.bounds.filter((bound) => isOver({ bound, value: values[bound.name] ?? NaN })).map(({ name }) => name);
};

test('constant parts are within the limits, with noise', () => {
  expect(figuresOf(parts(() => ({})))).toEqual({ 'nemotron-hours-time': 1, 'nemotron-hours-memory': 1, 'nemotron-hours-used': 0 });
  expect(over((part) => ({ cpuSeconds: 90 + 20 * (part % 2), residentMegabytes: 600 + 5 * part, usedMegabytes: 180 + (part % 3) }))).toEqual([]);
});

test('quadratic time, kept samples and kept logits exceed them', () => {
  expect(over((part) => ({ cpuSeconds: 10 * (2 * part + 1) }))).toEqual(['nemotron-hours-time']);
  // 64 kB and 320 bytes per second of audio.
  expect(over((part) => ({ residentMegabytes: 600 + 57.6 * part }))).toEqual(['nemotron-hours-memory']);
  expect(over((part) => ({ usedMegabytes: 180 + 2.88 * part }))).toEqual(['nemotron-hours-used']);
});
