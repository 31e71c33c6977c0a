import { expect, it } from 'vitest';
import { runBundle } from '../../test/compare/caseRun';
import { build, float, node, weight } from '../../test/onnx/build';
import { encodeOnnx } from '../onnx/model';
import type { GoldenBundle } from './files/bundle';
import type { StageReport } from './report';

const POSITIVE = Float32Array.from({ length: 64 }, (_, index) => 1 + index / 64);
/** With a mean near zero, so the spread is the scale of the values. */
const SIGNED = POSITIVE.map((value, index) => value * (-1) ** index);

/** A chain of stages, one node each, with the factors `ours`; the goldens use `original`. */
async function compareChain(op: 'Mul' | 'Pow', input: Float32Array, ours: readonly number[], original: readonly number[]): Promise<readonly StageReport[]> {
  const names = ours.map((_, index) => `s${index}`);
  const graph = encodeOnnx(
    build({
      node: names.map((name, index) => node(op, [index === 0 ? 'x' : names[index - 1]!, `k${index}`], [name])),
      input: [float('x', 64)],
      output: [float(names.at(-1)!, 64)],
      initializer: ours.map((factor, index) => weight(`k${index}`, [1], [factor])),
    }),
  );
  let data = input;
  const stages: GoldenBundle['stages'] = names.map((name, index) => {
    data = data.map((value) => (op === 'Mul' ? value * original[index]! : value ** original[index]!));
    return { name, axes: ['frame'], shape: [64], data, value: null, tolerance: { maxAbs: Infinity, cosine: 0.999 } };
  });
  const inputs = [{ name: 'x', axes: ['frame'], shape: [64], data: input }];
  return (await runBundle({ model: 'chain', source: {}, inputs, stages, notes: [], graph: null }, graph)).run.stages;
}

it('reports accumulation if each of several stages causes a part', async () => {
  // Each factor is off by 0.4e-4, below the tolerance of 1e-4; three of them together exceed it.
  const [first, second, third] = await compareChain('Mul', SIGNED, [1.00004, 1.00004, 1.00004], [1, 1, 1]);
  expect([first!.verdict, second!.verdict, third!.verdict]).toEqual(['pass', 'pass', 'fail']);
  expect(third!.causes).toMatchObject([{ id: 'accumulated' }]);
  expect(third!.causes[0]!.values.greatestShare).toBeCloseTo(1 / 3, 1);
});

it('does not report it if one stage causes the error and later ones amplify it', async () => {
  // The sixth power turns an error of 0.6e-4 of the spread into one of 1.3e-4.
  const [first, second, third] = await compareChain('Pow', POSITIVE, [1.000024, 6, 1], [1, 6, 1]);
  expect([first!.verdict, second!.verdict, third!.verdict]).toEqual(['pass', 'fail', 'fail']);
  expect(second!.causes).toEqual([]);
  expect(second!.notes.join()).toMatch(/^passes on golden input: 100 % of the error comes from the part of the graph that ends at s0$/);
  expect(third!.inherited).toBe(true);
});
