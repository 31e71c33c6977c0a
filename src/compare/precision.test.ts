/** Weights rounded node by node, and the decisions that this costs. */
import { expect, it } from 'vitest';
import { openNodeSession } from '../../test/compare/nodeSession';
import { build, float, int, ints, node, tensor, text, weight } from '../../test/onnx/build';
import { noise, runModel } from '../../test/onnx/run';
import type { ModelProto } from '../onnx/onnx_pb';
import { replaceWeights } from '../onnx/weights';
import { GraphRunner } from './graphRunner';
import { measurePrecision, toFloat16, toInt8, weightRows } from './precision';
import { rankRows, type PrecisionHead, type PrecisionRow } from './precisionReport';

const ROWS = 400;
const WIDTH = 8;
const x = noise(ROWS, WIDTH);
const first = [...noise(WIDTH, WIDTH).data];
const second = first.map((value, index) => Math.cos(31 * index) + value / 7);

/** Two matrices and a bias. The first matrix has little effect, because it is scaled down and added. */
const network = (): ModelProto =>
  build({
    input: [float('x', ROWS, WIDTH)],
    output: [float('y', ROWS, WIDTH)],
    initializer: [weight('small', [WIDTH, WIDTH], first.map((value) => value / 1e3)), weight('bias', [WIDTH], first.slice(0, WIDTH).map((value) => value / 100)), weight('large', [WIDTH, WIDTH], second)],
    node: [
      node('MatMul', ['x', 'small'], ['a']),
      node('Add', ['a', 'x'], ['b']),
      node('MatMul', ['b', 'large'], ['c']),
      node('Add', ['c', 'bias'], ['d']),
      node('Softmax', ['d'], ['y']),
    ],
  });

async function precisionOf(model: ModelProto, limit = 50, stop?: () => void) {
  const graph = new GraphRunner(model, { open: openNodeSession });
  const seen: [PrecisionRow, PrecisionHead][] = [];
  const request = { model, graph, feeds: new Map([['x', x]]), outputs: ['y'], known: new Map(), limit, about: { model: 'm', backend: 'wasm', adapter: null } as const };
  const onRow = (row: PrecisionRow, head: PrecisionHead): void => {
    seen.push([row, head]);
    stop?.();
  };
  try {
    return { report: await measurePrecision({ ...request, onRow, onStep: () => undefined }), seen };
  } finally {
    await graph.release();
  }
}

/** Classes of each row, without the code under test. */
async function classesOf(model: ModelProto): Promise<number[]> {
  const { y } = await runModel(model, { x });
  const data = y!.data as Float32Array;
  return Array.from({ length: ROWS }, (_, row) => {
    const values = [...data.subarray(row * WIDTH, (row + 1) * WIDTH)];
    return values.indexOf(Math.max(...values));
  });
}

it('counts the decisions that differ from those of the unrounded graph, for each node and for all together', async () => {
  const { report, seen } = await precisionOf(network());
  const right = await classesOf(network());
  const lostWith = async (changes: Record<string, Float32Array>): Promise<number> => {
    const classes = await classesOf(replaceWeights(network(), new Map(Object.entries(changes))));
    return classes.filter((one, row) => one !== right[row]).length;
  };
  const columns = { stride: 1, count: WIDTH };
  const [large, small] = [Float32Array.from(second), Float32Array.from(first, (value) => value / 1e3)];
  const rowOf = (name: string): PrecisionRow => report.rows.find(({ weights }) => weights.includes(name))!;
  const int8 = { large: toInt8(large, columns), small: toInt8(small, columns) };
  expect(report.outputs).toEqual([{ name: 'y', kind: 'class', reason: 'output of Softmax', decisions: ROWS }]);
  expect(rowOf('large').int8!.lost).toBe(await lostWith({ large: int8.large }));
  expect(rowOf('small').int8!.lost).toBe(await lostWith({ small: int8.small }));
  expect(rowOf('large').float16.lost).toBe(await lostWith({ large: toFloat16(large) }));
  expect(report.total.int8.lost).toBe(await lostWith(int8));
  // Otherwise the counts above would prove nothing.
  expect(rowOf('large').int8!.lost).toBeGreaterThan(0);
  expect(rowOf('bias')).toMatchObject({ ops: ['Add'], int8: null, float16: { savedMegabytes: 2e-6 * WIDTH } });
  expect(rowOf('large').int8!.savedMegabytes).toBeCloseTo((3 * WIDTH * WIDTH - 4 * WIDTH) / 1e6, 12);
  expect(rankRows(report.rows, 'int8').map(({ weights }) => weights[0])).toEqual(['small', 'large']);
  expect(seen.map(([row]) => row)).toEqual(report.rows);
});

it('tries only the largest nodes, counts the others, and reports rows before an interruption', async () => {
  const { report } = await precisionOf(network(), 1);
  expect(report.rows).toHaveLength(1);
  expect(report.left).toMatchObject({ numRows: 2 });
  const rows: string[] = [];
  await expect(precisionOf(network(), 50, () => { rows.push('row'); throw new Error('stop'); })).rejects.toThrow('stop');
  expect(rows).toHaveLength(1);
});

it('measures the relative error if no output decides anything, and rounds weights in constants', async () => {
  const model = build({
    input: [float('x', ROWS, WIDTH)],
    output: [float('y', ROWS, WIDTH)],
    node: [node('Constant', [], ['w'], { attribute: [tensor('value', weight('', [WIDTH, WIDTH], second))] }), node('MatMul', ['x', 'w'], ['y'])],
  });
  const { report } = await precisionOf(model);
  expect(report.outputs).toEqual([]);
  expect(report.rows).toMatchObject([{ ops: ['MatMul'], weights: ['w'], float16: { lost: null }, int8: { lost: null } }]);
  const { float16, int8 } = report.rows[0]!;
  expect(float16.relative).toBeGreaterThan(1e-5);
  expect(int8!.relative).toBeGreaterThan(2 * float16.relative!);
});

it('finds the channels to which onnxruntime assigns a scale, and joins nodes that share a weight', () => {
  const values = (...shape: number[]): number[] => new Array<number>(shape.reduce((product, size) => product * size, 1)).fill(1);
  const initializer = [
    ['conv', 4, 3, 5], ['up', 3, 6, 2], ['gemm', 6, 7], ['turned', 8, 7], ['gates', 1, 12, 8], ['state', 1, 12, 3], ['shared', 3, 3], ['scale', 1, 3, 1], ['one', 1],
  ] as const;
  const model = build({
    input: [float('x', 1, 3, 9)],
    output: [float('out', null)],
    initializer: initializer.map(([name, ...shape]) => weight(name, shape, values(...shape))),
    node: [
      node('Conv', ['x', 'conv'], ['c']),
      node('ConvTranspose', ['x', 'up'], ['u']),
      node('Gemm', ['c', 'gemm'], ['g'], { attribute: [int('transB', 1)] }),
      node('Transpose', ['turned'], ['t'], { attribute: [ints('perm', 1, 0)] }),
      node('MatMul', ['g', 't'], ['m']),
      node('LSTM', ['m', 'gates', 'state'], ['l'], { attribute: [int('hidden_size', 3), text('direction', 'forward')] }),
      node('MatMul', ['l', 'shared'], ['s1']),
      node('MatMul', ['s1', 'shared'], ['s2']),
      node('Mul', ['s2', 'scale'], ['s3']),
      node('Mul', ['s3', 'one'], ['s4']),
      node('Sum', ['s4', 'u'], ['out']),
    ],
  });
  const rows = weightRows(model, ['x'], ['out']);
  const found = new Map(rows.flatMap(({ nodes, weights }) => weights.map(({ name, channels }) => [name, [nodes.map(({ op }) => op).join(), channels]])));
  expect(Object.fromEntries(found)).toEqual({
    conv: ['Conv', { stride: 15, count: 4 }],
    up: ['ConvTranspose', { stride: 2, count: 6 }],
    gemm: ['Gemm', { stride: 7, count: 6 }],
    turned: ['MatMul', { stride: 7, count: 8 }],
    gates: ['LSTM', { stride: 8, count: 12 }],
    state: ['LSTM', { stride: 3, count: 12 }],
    shared: ['MatMul,MatMul', { stride: 1, count: 3 }],
    scale: ['Mul', null],
  });
  expect(rows.map(({ numBytes }) => numBytes)).toEqual(rows.map(({ numBytes }) => numBytes).toSorted((a, b) => b - a));
});

it('rejects a graph that returns only NaN, because rounding changes nothing', async () => {
  const broken = replaceWeights(network(), new Map([['large', new Float32Array(WIDTH * WIDTH).fill(NaN)]]));
  await expect(precisionOf(broken)).rejects.toMatchObject({ code: 'options', problem: expect.stringMatching(/^No output has a finite value/) as string });
});
