import { writeBundle } from '../../src/compare/files/write';
import type { NamedTensor } from '../../src/compare/tensor';
import { encodeOnnx } from '../../src/onnx/model';
import { build, float, node, weight } from '../onnx/build';

const FRAMES = 12;
const WIDTH = 16;
const BLOCKS = 14;
/** Blocks whose outputs are golden stages. */
const TAPPED = [1, 5, 9, 13];

/**
 * A network unrelated to this project, built node by node: blocks of `tanh(x · W + b) · gate` with two inputs, `signal`
 * (batch, frame, channel) and `gate` (batch, frame, channel). Its goldens are computed here in float64 without a runtime.
 */
export function makeForeignModel(): { onnx: Uint8Array; bundle: Uint8Array; numNodes: number; numInputs: number } {
  const shape = [1, FRAMES, WIDTH];
  const signal = values(FRAMES * WIDTH, 1);
  const gate = values(FRAMES * WIDTH, 2).map((value) => 0.5 + Math.abs(value));
  const stages: NamedTensor[] = [];
  const nodes = [];
  const initializer = [];
  let state: ArrayLike<number> = signal;
  let input = 'signal';
  for (let block = 0; block < BLOCKS; block++) {
    const matrix = values(WIDTH * WIDTH, 10 + block).map((value) => value / 2);
    const bias = values(WIDTH, 50 + block);
    const at = (name: string): string => `/blocks.${block}/${name}`;
    initializer.push(weight(at('weight'), [WIDTH, WIDTH], [...matrix]), weight(at('bias'), [WIDTH], [...bias]));
    nodes.push(
      node('MatMul', [input, at('weight')], [at('product')]),
      node('Add', [at('product'), at('bias')], [at('sum')]),
      node('Tanh', [at('sum')], [at('tanh')]),
      node('Mul', [at('tanh'), 'gate'], [at('output')]),
    );
    input = at('output');
    state = step(state, matrix, bias, gate);
    if (TAPPED.includes(block)) {
      stages.push({ name: input, axes: ['batch', 'frame', 'channel'], shape, data: Float32Array.from(state) });
    }
  }
  const model = build(
    { node: nodes, initializer, input: [float('signal', null, FRAMES, WIDTH), float('gate', null, FRAMES, WIDTH)], output: [float(input, null, FRAMES, WIDTH)] },
    { producerName: 'somebody else' },
  );
  const axes = ['batch', 'frame', 'channel'];
  const bundle = writeBundle({
    model: 'foreign',
    source: { framework: 'float64 arithmetic' },
    inputs: [
      { name: 'signal', axes, shape, data: signal },
      { name: 'gate', axes, shape, data: gate },
    ],
    stages,
    tolerance: { maxAbs: 1e-4, cosine: 0.9999 },
  });
  return { onnx: encodeOnnx(model), bundle, numNodes: nodes.length, numInputs: 2 };
}

function step(state: ArrayLike<number>, matrix: Float32Array, bias: Float32Array, gate: Float32Array): Float64Array {
  return Float64Array.from({ length: FRAMES * WIDTH }, (_, index) => {
    const row = Math.floor(index / WIDTH) * WIDTH;
    let sum = bias[index % WIDTH]!;
    for (let k = 0; k < WIDTH; k++) sum += state[row + k]! * matrix[k * WIDTH + (index % WIDTH)]!;
    return Math.tanh(sum) * gate[index]!;
  });
}

/** Reproducible values in [-1, 1] without a pattern. */
const values = (length: number, seed: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => Math.sin(12.9898 * (i + 1) * seed + i * i));
