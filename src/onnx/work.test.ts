import { describe, expect, it } from 'vitest';
import { flopsBySize, flopsOf, nodeWork, sumWork, type RunNode } from './work';

const run = (op: string, inputs: RunNode['inputs'], ...outputs: RunNode['outputs']): RunNode => ({ op, inputs, outputs });

describe('nodeWork', () => {
  it.each<[string, RunNode, number]>([
    // 8 channels of 10 × 20 values, each with 3 × 5 × 5 weights.
    ['a convolution', run('Conv', [[1, 3, 14, 24], [8, 3, 5, 5], [8]], [1, 8, 10, 20]), 8 * 10 * 20 * 75],
    ['one with one group per channel', run('Conv', [[2, 6, 9], [6, 1, 3]], [2, 6, 7]), 2 * 6 * 7 * 3],
    ['one with channels last', run('NhwcFusedConv', [[1, 14, 24, 3], [8, 3, 5, 5]], [1, 10, 20, 8]), 8 * 10 * 20 * 75],
    [
      'a quantized one, whose weights come after scale and zero point',
      run('QLinearConv', [[1, 3, 10], [], [], [4, 3, 3], [4], [4], [], []], [1, 4, 8]),
      4 * 8 * 9,
    ],
    // Every input value contributes to 4 channels × 2 positions.
    ['a transposed convolution', run('ConvTranspose', [[1, 3, 10], [3, 4, 2]], [1, 4, 20]), 3 * 10 * 8],
    ['a matrix product', run('MatMul', [[5, 7, 11], [11, 13]], [5, 7, 13]), 5 * 7 * 11 * 13],
    ['one whose second factor the runtime has packed', run('MatMul', [[5, 7, 11]], [5, 7, 13]), 5 * 7 * 11 * 13],
    ['a product of two vectors', run('MatMul', [[11], [11]], []), 11],
    ['a linear layer', run('FusedGemm', [[2, 100], [9]], [2, 9]), 2 * 100 * 9],
    ['one whose first factor is transposed', run('Gemm', [[100, 2]], [2, 9]), 2 * 100 * 9],
    // 6 steps of 2 sequences in both directions: 4 gates of 5 values, from 3 inputs and 5 previous values.
    ['an LSTM', run('LSTM', [[6, 2, 3], [2, 40]], [6, 2, 2, 5], [2, 2, 5], [2, 2, 5]), 6 * 2 * 2 * 4 * 5 * 8],
    ['one that outputs its last step only', run('LSTM', [[6, 2, 3]], [2, 2, 5]), 6 * 2 * 2 * 4 * 5 * 8],
    ['a GRU, which has one gate less', run('GRU', [[6, 2, 3]], [6, 1, 2, 5]), 6 * 2 * 3 * 5 * 8],
  ])('counts the multiply-adds of %s', (_, node, expected) => {
    expect(nodeWork(node)).toEqual({ multiplyAdds: expected, elementwise: 0 });
  });

  it('counts the output values of other operators', () => {
    expect(nodeWork(run('Relu', [[1, 8, 10]], [1, 8, 10]))).toEqual({ multiplyAdds: 0, elementwise: 80 });
    expect(nodeWork(run('TopK', [[4, 9], [1]], [4, 2], [4, 2]))).toEqual({ multiplyAdds: 0, elementwise: 16 });
  });

  it('counts nothing for operators that only move values', () => {
    expect(nodeWork(run('Transpose', [[2, 3]], [3, 2]))).toEqual({ multiplyAdds: 0, elementwise: 0 });
  });

  it('returns no number if the shape of the weights is unknown', () => {
    expect(nodeWork(run('Conv', [[1, 3, 10], [8]], [1, 8, 10])).multiplyAdds).toBeNaN();
    expect(nodeWork(run('LSTM', [], [6, 1, 2, 5])).multiplyAdds).toBeNaN();
  });
});

describe('sumWork', () => {
  it('sums both kinds, counting a multiply-add as two operations', () => {
    const work = sumWork([
      run('MatMul', [[7, 11]], [7, 13]),
      run('Add', [[7, 13], [13]], [7, 13]),
      run('Reshape', [[7, 13]], [91]),
      run('Relu', [[91]], [91]),
    ]);
    expect(work).toEqual({ multiplyAdds: 1001, elementwise: 182 });
    expect(flopsOf(work)).toBe(2184);
  });
});

describe('flopsBySize', () => {
  const polynomial = (size: number) => 7 + 30 * size + 2 * size ** 2;
  const samples = [10, 30, 100].map((size) => ({ size, flops: polynomial(size) }));

  it('returns the counted operations at the sampled sizes', () => {
    for (const { size, flops } of samples) expect(flopsBySize(samples)(size)).toBeCloseTo(flops, 6);
  });

  it('extrapolates work that grows with the size and its square', () => {
    for (const size of [1, 55, 200]) expect(flopsBySize(samples)(size)).toBeCloseTo(polynomial(size), 6);
  });

  it('uses a single count for any size', () => {
    expect(flopsBySize([{ size: 5, flops: 40 }])(9)).toBe(40);
  });
});
