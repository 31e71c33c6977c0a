import { expect, it } from 'vitest';
import { runBundle } from '../../test/compare/caseRun';
import { build, float, node } from '../../test/onnx/build';
import { encodeOnnx } from '../onnx/model';
import type { GoldenBundle } from './files/bundle';
import { canSelfCheck, coverageOf, outcomeOf } from './verdict';
import type { Coverage, Outcome, StageReport } from './report';

const INPUT = [-1, -4, 9];

/** y = √(x + x), whose golden values come from the same arithmetic: NaN for negative x. */
async function compareRoot(
  input: readonly number[],
  names: readonly string[],
): Promise<{ outcome: Outcome; coverage: Coverage; stages: readonly StageReport[] }> {
  const graph = encodeOnnx(
    build({
      node: [node('Add', ['x', 'x'], ['sum']), node('Sqrt', ['sum'], ['y'])],
      input: [float('x', input.length)],
      output: [float('y', input.length)],
    }),
  );
  const golden = { sum: input.map((x) => x + x), y: input.map((x) => Math.sqrt(x + x)) };
  const tensor = (name: string, values: readonly number[]) => ({ name, axes: ['frame'], shape: [values.length], data: Float32Array.from(values) });
  const stages: GoldenBundle['stages'] = names.map((name) => ({
    ...tensor(name, golden[name as 'y']),
    value: null,
    tolerance: { maxAbs: Infinity, cosine: 0.999 },
  }));
  const { plan, run } = await runBundle({ model: 'root', source: {}, inputs: [tensor('x', input)], stages, notes: [], graph: null }, graph);
  const coverage = coverageOf(plan);
  return { outcome: outcomeOf(run.verdict, coverage), coverage, stages: run.stages };
}

it('passes NaN on both sides beside finite values', async () => {
  const { outcome, stages } = await compareRoot(INPUT, ['sum', 'y']);
  expect(outcome).toBe('pass');
  expect(stages[1]).toMatchObject({ nanCount: 2, notes: [] });
});

it.each([[['sum', 'y']], [['y']]])('does not pass an output that is all NaN on both sides: stages %j', async (names) => {
  const { outcome, coverage, stages } = await compareRoot([-1, -4, -9], names);
  expect(coverage).toMatchObject({ compared: names.length, total: names.length, isOutputCompared: false });
  expect(outcome).toBe('incomplete');
  expect(stages.at(-1)!.notes).toEqual(['no golden value is finite: a match proves nothing']);
});

it('accepts stages inside the network as sufficient if the bundle has no output', async () => {
  expect(await compareRoot(INPUT, ['sum'])).toMatchObject({ outcome: 'pass', coverage: { isOutputCompared: true } });
});

it.each(['values', 'same'] as const)('does not treat a stage identified only by %s as an output if the graph computes more', async (foundBy) => {
  const input = { name: 'x', axes: ['frame'], shape: [3], data: Float32Array.of(1, 2, 3) };
  const stage = { ...input, name: 'out', value: null, tolerance: { maxAbs: Infinity, cosine: 0.999 } };
  const graph = build({
    node: [node('Tanh', ['x'], ['h']), node('Sigmoid', ['h'], ['y']), node('Exp', ['x'], ['z'])],
    input: [float('x', 3)],
    output: [float('y', 3), float('z', 3)],
  });
  const { plan } = await runBundle({ model: '', source: {}, inputs: [input], stages: [{ ...stage, value: 'h' }], notes: [], graph: null }, encodeOnnx(graph));
  expect(coverageOf(plan).isOutputCompared).toBe(true);
  const guessed = { ...plan, stages: plan.stages.map((planned) => ({ ...planned, foundBy })) };
  expect(coverageOf(guessed).isOutputCompared).toBe(false);
});

it('counts float64 values beyond the range of float32 as finite', () => {
  expect(canSelfCheck({ shape: [1], data: Float32Array.of(Infinity), exact: Float64Array.of(1e200) })).toBe(true);
});
