import { describe, expect, it } from 'vitest';
import { BINS_PER_DECADE } from '../../compare/picture';
import { PICTURE } from '../../../test/app/compareReports';
import { boxOf, GUTTER, indexTicks, niceTicks } from './plot';
import { clipAround, peaks } from './waveform';
import { heatDomain, heatPixels, legendErrors, levelOf, rampTable, type Rgb } from './colorMap';
import {
  cellOfIndex,
  columnAt,
  columnOfSeconds,
  indicesOfCell,
  rowAt,
  secondsOfColumn,
  timeSpan,
  worstRow,
  xOfColumn,
} from './heatmap';
import { histogramWords } from './histogram';
import { rangeOf } from './slice';

const BLACK: Rgb = [0, 0, 0];
const WHITE: Rgb = [255, 255, 255];
const BLUE: Rgb = [0, 0, 255];

describe('axes', () => {
  it('have round ticks, inside the range, up to the requested number', () => {
    expect(niceTicks(0.022, 9.96, 6)).toEqual([2, 4, 6, 8]);
    expect(niceTicks(-0.35, 0.1, 5)).toEqual([-0.3, -0.2, -0.1, 0, 0.1]);
    expect(niceTicks(0, 1, 3)).toEqual([0, 0.5, 1]);
    for (const most of [1, 2, 7, 30]) expect(niceTicks(0.013, 47.9, most).length).toBeLessThanOrEqual(most + 1);
  });
  it('have one tick for an empty range, and none for an invalid range', () => {
    expect(niceTicks(3, 3, 5)).toEqual([3]);
    expect(niceTicks(NaN, NaN, 5)).toEqual([]);
  });
  it('have whole ticks for indices', () => {
    expect(indexTicks(7, 4)).toEqual([0, 2, 4, 6]);
    expect(indexTicks(2, 10)).toEqual([0, 1]);
    expect(indexTicks(1, 10)).toEqual([0]);
  });
  it('have the same left and right edge at any height, to align the time', () => {
    const [low, high] = [boxOf({ width: 500, height: 64 }, 4), boxOf({ width: 500, height: 300 })];
    expect([low.left, low.right]).toEqual([high.left, high.right]);
    expect(low.left).toBe(GUTTER.left);
  });
});

describe('color scale', () => {
  it('covers whole decades or starts at zero', () => {
    expect(heatDomain(0.034, 'log').greatest).toBeCloseTo(0.1);
    expect(heatDomain(0.1, 'log').greatest).toBeCloseTo(0.1);
    expect(heatDomain(0.034, 'linear')).toMatchObject({ least: 0, greatest: 0.034 });
  });
  it('increases with the error and is clamped at both ends', () => {
    for (const scale of ['log', 'linear'] as const) {
      const domain = heatDomain(1, scale);
      const levels = [0, 1e-6, 1e-4, 1e-2, 0.5, 1, 2].map((error) => levelOf(error, domain));
      expect(levels[0]).toBe(0);
      expect(levels.at(-2)).toBeCloseTo(1);
      expect(levels.at(-1)).toBe(1);
      expect([...levels].sort((a, b) => a - b)).toEqual(levels);
    }
  });
  it('has no level for NaN and the lowest for zero', () => {
    expect(levelOf(NaN, heatDomain(1, 'log'))).toBeNaN();
    expect(levelOf(0, heatDomain(0, 'log'))).toBe(0);
  });
  it('has both ends in the legend', () => {
    const domain = heatDomain(0.034, 'log');
    const errors = legendErrors(domain);
    expect(errors.at(0)).toBeCloseTo(domain.least, 12);
    expect(errors.at(-1)).toBeCloseTo(domain.greatest, 12);
  });
  it('runs from the first stop to the last', () => {
    const table = rampTable([BLACK, BLUE, WHITE]);
    expect([...table.slice(0, 3)]).toEqual(BLACK);
    expect([...table.slice(-3)]).toEqual(WHITE);
    // One of the two shades around the middle.
    expect(table[127 * 3 + 2]).toBeGreaterThan(250);
  });
  it('has row 0 at the bottom and a different color for non-finite cells', () => {
    const heat = Float32Array.from([0, NaN, 1, 0]);
    const pixels = heatPixels(heat, 2, 2, heatDomain(1, 'linear'), rampTable([BLACK, WHITE]), BLUE);
    const at = (pixel: number): number[] => [...pixels.slice(pixel * 4, pixel * 4 + 3)];
    expect([at(0), at(1), at(2), at(3)]).toEqual([WHITE, BLACK, BLACK, BLUE]);
  });
});

describe('heatmap geometry', () => {
  const box = { left: 50, top: 10, right: 250, bottom: 70 };

  it('maps the center of a column to the column', () => {
    for (let column = 0; column < PICTURE.columnSize; column++) {
      expect(columnAt(xOfColumn(column, box, PICTURE), box, PICTURE)).toBe(column);
    }
  });
  it('maps a pointer outside to the nearest column', () => {
    expect([columnAt(0, box, PICTURE), columnAt(999, box, PICTURE)]).toEqual([0, 3]);
    expect([rowAt(69, box, PICTURE), rowAt(11, box, PICTURE), rowAt(0, box, PICTURE)]).toEqual([0, 2, 2]);
  });
  it.each([
    [4, 4],
    [3, 10],
    [7, 100],
    [5, 589],
  ])('%i cells cover each of %i indices once', (cells, size) => {
    const seen = Array.from({ length: cells }, (_, cell) => indicesOfCell(cell, cells, size)).flatMap(([first, last]) =>
      Array.from({ length: last - first + 1 }, (_, offset) => first + offset),
    );
    expect(seen).toEqual(Array.from({ length: size }, (_, index) => index));
    for (let index = 0; index < size; index++) {
      const [first, last] = indicesOfCell(cellOfIndex(index, cells, size), cells, size);
      expect(index).toBeGreaterThanOrEqual(first);
      expect(index).toBeLessThanOrEqual(last);
    }
  });
  it('spans the time from the edge of the first frame to that of the last', () => {
    const [start, end] = timeSpan(PICTURE)!;
    // Centers are 0.1, 0.3, 0.5, 0.7 s.
    expect([start, end]).toEqual([expect.closeTo(0) as number, expect.closeTo(0.8) as number]);
    expect(secondsOfColumn(2, PICTURE)).toBeCloseTo(0.5);
    expect([0, 0.44, 0.56, 9].map((seconds) => columnOfSeconds(seconds, PICTURE))).toEqual([0, 2, 2, 3]);
    expect(timeSpan({ ...PICTURE, time: null })).toBeNull();
  });
  it('finds the worst row of a column, with NaN as the worst', () => {
    expect(worstRow(PICTURE, 2)).toEqual({ row: 1, error: 2 });
    const heat = Float32Array.from(PICTURE.heat);
    heat[0 * 4 + 3] = NaN;
    expect(worstRow({ ...PICTURE, heat }, 3)).toEqual({ row: 0, error: NaN });
  });
});

describe('waveform', () => {
  const samples = Float32Array.from([0, 1, -1, 0.5, 0.25, 0]);
  it('has the minimum and maximum sample of each pixel', () => {
    expect(peaks({ samples, sampleRate: 6 }, 0, 1, 2)).toEqual([
      [-1, 1],
      [0, 0.5],
    ]);
  });
  it('is empty before and after the recording', () => {
    const drawn = peaks({ samples, sampleRate: 6 }, -1, 2, 3);
    expect(drawn.map((peak) => peak !== null)).toEqual([false, true, false]);
  });
  it('has no gaps at a resolution above the sample rate', () => {
    expect(peaks({ samples, sampleRate: 6 }, 0, 1, 60).every((peak) => peak !== null)).toBe(true);
  });
  it.each([
    [5, 10, 4.5, 5.5],
    [0.1, 10, 0, 1],
    [9.9, 10, 9, 10],
    [0.2, 0.4, 0, 0.4],
  ])('around %d s of %d s, plays from %d to %d', (seconds, duration, start, end) => {
    const part = clipAround(seconds, duration);
    expect(part[0]).toBeCloseTo(start);
    expect(part[1]).toBeCloseTo(end);
  });
});

describe('slice and histogram', () => {
  it('have a range that contains both sides and is never empty', () => {
    const [least, greatest] = rangeOf(Float32Array.from([0, NaN]), Float32Array.from([2, Infinity]));
    expect(least).toBeLessThan(0);
    expect(greatest).toBeGreaterThan(2);
    expect(greatest).toBeLessThan(3);
    for (const side of [[], [NaN], [3, 3], [0]]) {
      const range = rangeOf(Float32Array.from(side));
      expect(range[1]).toBeGreaterThan(range[0]);
    }
  });
  it('describe the histogram by decade', () => {
    const counts = new Uint32Array(2 * BINS_PER_DECADE);
    counts[0] = 1200;
    counts[1] = 34;
    counts[BINS_PER_DECADE] = 5;
    expect(histogramWords({ counts, minExponent: -3, maxExponent: -1, zeros: 0 })).toBe('1,234 from 1e−3 to 0.01, 5 from 0.01 to 0.1');
    expect(histogramWords({ counts: new Uint32Array(), minExponent: 0, maxExponent: 0, zeros: 3 })).toBe('');
  });
});
