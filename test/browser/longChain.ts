import { writeBundle } from '../../src/compare/files/write';
import type { NamedTensor } from '../../src/compare/tensor';
import { encodeOnnx } from '../../src/onnx/model';
import { build, float, node, weight } from '../onnx/build';

const SHAPE = [1, 4, 8];
const AXES = ['batch', 'frame', 'channel'];
const SIZE = 32;
const OPS = ['Add', 'Mul', 'Relu'] as const;

/** Name of a stage: `blocks.66.mul`. */
export const stageName = (index: number): string => `blocks.${Math.floor(index / OPS.length)}.${OPS[index % OPS.length]!.toLowerCase()}`;

/**
 * A chain of `numStages` nodes with computed goldens for each node. Each block halves errors, so only stages after a fault
 * fail.
 *
 * @param wrong index of a `Mul` with a wrong factor in the graph
 * @param numUnknown number of stages in the bundle that are missing from the graph
 */
export function makeLongChain(numStages: number, wrong: number, numUnknown: number): { onnx: Uint8Array; bundle: Uint8Array } {
  const nodes = [];
  const initializer = [];
  const stages: NamedTensor[] = [];
  const input = values(SIZE, 0);
  let state = input;
  let name = 'x';
  for (let index = 0; index < numStages; index++) {
    const [op, output] = [OPS[index % OPS.length]!, stageName(index)];
    const terms = values(8, index + 1);
    if (op === 'Relu') nodes.push(node(op, [name], [output]));
    else {
      const stored = op === 'Add' ? terms : terms.map(() => (index === wrong ? 0.6 : 0.5));
      initializer.push(weight(`${output}.term`, [8], [...stored]));
      nodes.push(node(op, [name, `${output}.term`], [output]));
    }
    state = state.map((value, at) => (op === 'Add' ? value + terms[at % 8]! : op === 'Mul' ? value * 0.5 : Math.max(0, value)));
    stages.push({ name: output, axes: AXES, shape: SHAPE, data: state });
    name = output;
  }
  const onnx = encodeOnnx(build({ node: nodes, initializer, input: [float('x', ...SHAPE)], output: [float(name, ...SHAPE)] }));
  const unknown = Array.from({ length: numUnknown }, (_, index) => ({ name: `head.${index}.softmax`, axes: AXES, shape: SHAPE, data: values(SIZE, -1 - index) }));
  const bundle = writeBundle({
    model: 'long chain',
    source: { framework: 'float32 arithmetic' },
    inputs: [{ name: 'x', axes: AXES, shape: SHAPE, data: input }],
    stages: [...stages, ...unknown],
    tolerance: { maxAbs: 1e-4, cosine: 0.9999 },
  });
  return { onnx, bundle };
}

/** Reproducible values from -0.5 to 1.5 without a pattern. */
const values = (length: number, seed: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => 0.5 + Math.sin(12.9898 * (i + 1) * (seed + 0.5) + i * i));
