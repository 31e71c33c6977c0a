import { describe, expect, it } from 'vitest';
import { VoxlaneError } from '../util/errors';
import { BINS_PER_DECADE, drawPicture, type PictureOptions } from './picture';
import { sizeOf, type Tensor } from './tensor';

const WHOLE: PictureOptions = { maxRows: 512, maxColumns: 2048, time: null };
const TIME = { startSeconds: 0.03, stepSeconds: 0.017 };

const tensor = (shape: readonly number[], at: (index: number) => number): Tensor => ({
  shape,
  data: Float32Array.from({ length: sizeOf(shape) }, (_, index) => at(index)),
});

const zeros = (...shape: readonly number[]): Tensor => tensor(shape, () => 0);

/** Zeros except for some values, by their index in the flat tensor. */
const sparse = (shape: readonly number[], values: Readonly<Record<number, number>>): Tensor =>
  tensor(shape, (index) => values[index] ?? 0);

describe('drawPicture: axes', () => {
  it('the time axis becomes the columns wherever it is', () => {
    // (batch, channel, frame) and (batch, frame, channel), the error at channel 1, frame 2.
    const channelFirst = drawPicture(sparse([1, 2, 4], { 6: 3 }), zeros(1, 2, 4), ['batch', 'channel', 'frame'], WHOLE);
    const frameFirst = drawPicture(sparse([1, 4, 2], { 5: 3 }), zeros(1, 4, 2), ['batch', 'frame', 'channel'], WHOLE);
    for (const picture of [channelFirst, frameFirst]) {
      expect(picture).toMatchObject({ rows: 2, columns: 4, rowAxis: 'channel', columnAxis: 'frame', maxError: 3 });
      expect([...picture.heat]).toEqual([0, 0, 0, 0, 0, 0, 3, 0]);
      expect(picture.slice.column).toBe(2);
    }
  });

  it('the largest other axis becomes the rows, and the greatest error of the rest counts', () => {
    const ours = sparse([2, 3, 2], { 1: 5, 7: -8, 2: 1 });
    const picture = drawPicture(ours, zeros(2, 3, 2), ['batch', 'class', 'frame'], WHOLE);
    expect(picture).toMatchObject({ rows: 3, rowAxis: 'class', rowSize: 3, columnSize: 2 });
    // Index 1 is (0, 0, 1) and index 7 is (1, 0, 1): one cell.
    expect([...picture.heat]).toEqual([0, 8, 1, 0, 0, 0]);
  });

  it('seconds belong to a time axis only', () => {
    const draw = (axes: readonly string[]): unknown =>
      drawPicture(zeros(2, 3), zeros(2, 3), axes, { ...WHOLE, time: TIME }).time;
    expect(draw(['channel', 'frame'])).toEqual(TIME);
    expect(draw(['channel', 'sample'])).toEqual(TIME);
    expect(draw(['batch', 'channel'])).toBeNull();
  });

  it('an embedding, (1, 192): one row, and the slice along it', () => {
    const golden = tensor([1, 192], (index) => index);
    const ours = tensor([1, 192], (index) => (index === 100 ? 0 : index));
    const picture = drawPicture(ours, golden, ['batch', 'channel'], WHOLE);
    expect(picture).toMatchObject({ rows: 1, columns: 192, rowAxis: 'batch', columnAxis: 'channel', maxError: 100 });
    expect(picture.slice.column).toBe(100);
    expect(picture.slice.left).toEqual(ours.data);
    expect(picture.slice.right).toEqual(golden.data);
  });

  it('rank 1 and rank 0 have one row', () => {
    const vector = drawPicture(sparse([5], { 3: 1 }), zeros(5), ['channel'], WHOLE);
    expect(vector).toMatchObject({ rows: 1, columns: 5, rowAxis: '', rowSize: 1 });
    expect(vector.slice.left).toHaveLength(5);
    const number = drawPicture(sparse([], { 0: 2 }), zeros(), [], WHOLE);
    expect(number).toMatchObject({ rows: 1, columns: 1, maxError: 2 });
  });
});

describe('drawPicture: reduction', () => {
  it('keeps the greatest error within a cell', () => {
    const axes = ['channel', 'frame'];
    const ours = tensor([10, 20], (index) => index / 7);
    const { heat, rows, columns, maxError, rowSize, columnSize } = drawPicture(ours, zeros(10, 20), axes, {
      maxRows: 5,
      maxColumns: 4,
      time: null,
    });
    expect({ rows, columns, rowSize, columnSize }).toEqual({ rows: 5, columns: 4, rowSize: 10, columnSize: 20 });
    // Errors grow with both indices: each cell has the error of its last row and last column.
    for (let row = 0; row < 5; row++) {
      for (let column = 0; column < 4; column++) {
        expect(heat[row * 4 + column]).toBe(ours.data[(2 * row + 1) * 20 + 5 * column + 4]);
      }
    }
    expect(maxError).toBe(ours.data.at(-1));
  });

  it('a long slice keeps the worst neighbor', () => {
    const ours = sparse([100, 3], { [47 * 3 + 1]: 9 });
    const { slice } = drawPicture(ours, zeros(100, 3), ['channel', 'frame'], { ...WHOLE, maxColumns: 10 });
    expect(slice.column).toBe(1);
    expect([...slice.left]).toEqual([0, 0, 0, 0, 9, 0, 0, 0, 0, 0]);
  });

  it('shows the requested frame, within the axis', () => {
    const ours = tensor([2, 4], (index) => index);
    const at = (column: number): Float32Array =>
      drawPicture(ours, zeros(2, 4), ['channel', 'frame'], { ...WHOLE, column }).slice.left;
    expect([...at(1)]).toEqual([1, 5]);
    expect([...at(99)]).toEqual([3, 7]);
    expect([...at(-1)]).toEqual([0, 4]);
  });
});

describe('drawPicture: values that are not finite', () => {
  it.each([NaN, Infinity, -Infinity])('%s, on either side, is a NaN cell and the worst column', (bad) => {
    const odd = sparse([2, 3], { 0: 7, 4: bad });
    for (const [left, right] of [
      [odd, zeros(2, 3)],
      [zeros(2, 3), odd],
    ] as const) {
      const picture = drawPicture(left, right, ['channel', 'frame'], WHOLE);
      expect([...picture.heat]).toEqual([7, 0, 0, 0, NaN, 0]);
      expect(picture.maxError).toBe(7);
      expect(picture.slice.column).toBe(1);
    }
  });

  it('NaN is kept if cells are reduced, whatever follows it', () => {
    const { heat } = drawPicture(sparse([1, 4], { 0: NaN, 1: 5 }), zeros(1, 4), ['channel', 'frame'], {
      ...WHOLE,
      maxColumns: 2,
    });
    expect([...heat]).toEqual([NaN, 0]);
  });

  it.each([NaN, Infinity, -Infinity])('%s on both sides is no error, and does not hide the worst column', (same) => {
    const [ours, golden] = [sparse([1, 3], { 0: same, 2: 5 }), sparse([1, 3], { 0: same })];
    const { heat, slice, histogram } = drawPicture(ours, golden, ['channel', 'frame'], WHOLE);
    expect([...heat]).toEqual([0, 0, 5]);
    expect(slice.column).toBe(2);
    expect(histogram.zeros).toBe(2);
  });

  it('infinities of opposite signs are a NaN cell', () => {
    const [ours, golden] = [sparse([1, 2], { 0: Infinity }), sparse([1, 2], { 0: -Infinity })];
    expect(drawPicture(ours, golden, ['channel', 'frame'], WHOLE).heat[0]).toBeNaN();
  });

  it('all NaN means no greatest error and no histogram', () => {
    const { maxError, histogram } = drawPicture(tensor([2, 2], () => NaN), zeros(2, 2), ['channel', 'frame'], WHOLE);
    expect(maxError).toBe(0);
    expect(histogram).toEqual({ counts: new Uint32Array(), minExponent: 0, maxExponent: 0, zeros: 0 });
  });
});

describe('drawPicture: histogram', () => {
  it('counts each finite error once, in the bin of its size', () => {
    const ours = sparse([1, 8], { 0: 0.5, 1: 0.02, 2: 0.03, 3: -4, 4: NaN });
    const { counts, minExponent, maxExponent, zeros: none } = drawPicture(ours, zeros(1, 8), ['batch', 'frame'], WHOLE).histogram;
    expect([minExponent, maxExponent, none]).toEqual([-2, 1, 3]);
    expect(counts).toHaveLength(3 * BINS_PER_DECADE);
    // Of the bins 10^-2, 10^-1.75, 10^-1.5, …: 0.02 and 0.03 are in the second, 0.5 in the seventh, 4 in the eleventh.
    expect([...counts]).toEqual([0, 2, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0]);
  });

  it('includes tiny and huge errors', () => {
    const ours = sparse([1, 2], { 0: 1e-40, 1: 3e38 });
    const golden = sparse([1, 2], { 1: -3e38 });
    const picture = drawPicture(ours, golden, ['batch', 'frame'], WHOLE);
    expect(picture.histogram.counts.reduce((sum, count) => sum + count, 0)).toBe(2);
    expect(picture.maxError).toBeLessThan(Infinity);
  });
});

describe('drawPicture: tensors that cannot be drawn', () => {
  it.each([
    ['another shape', [2, 3], [3, 2]],
    ['nothing', [0, 3], [0, 3]],
  ])('%s', (_, left, right) => {
    const draw = (): unknown => drawPicture(zeros(...left), zeros(...right), ['channel', 'frame'], WHOLE);
    expect(draw).toThrow(VoxlaneError);
    expect(draw).toThrow(`(${left.join(', ')})`);
  });
});
