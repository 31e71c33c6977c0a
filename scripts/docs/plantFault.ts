/**
 * Plants the fault of docs/compare.md: one LSTM's weights have their gates in PyTorch's order instead of ONNX's order.
 *
 *     npx tsx scripts/docs/plantFault.ts models/segmentation-3.0/model.onnx ported.onnx
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { encodeOnnx, parseOnnx } from '../../src/onnx/model';
import { listWeights, lstmNodes, replaceWeights } from '../../src/onnx/weights';

const [source, target] = process.argv.slice(2);
if (source === undefined || target === undefined) throw new Error('expected the graph and the output file as arguments');

const model = parseOnnx(readFileSync(source), source);
const [lstm] = lstmNodes(model, { inputs: ['sincnet'], outputs: ['lstm'] });
const { w, r, b } = lstm!;

/** ONNX orders the gates as input, output, forget, cell; PyTorch as input, forget, cell, output. */
const PYTORCH_ORDER = [0, 2, 3, 1];

const changes = new Map<string, Float32Array>();
for (const { name, shape, values } of listWeights(model)) {
  if (![w, r, b].includes(name)) continue;
  const old = values()!;
  // Axes (direction, gate × hidden, …); the biases of the input and of the state are concatenated.
  const numGates = shape[0]! * (name === b ? 8 : 4);
  const size = old.length / numGates;
  const moved = Array.from({ length: numGates }, (_, gate) => {
    const from = gate - (gate % 4) + PYTORCH_ORDER[gate % 4]!;
    return [...old.subarray(from * size, (from + 1) * size)];
  });
  changes.set(name, Float32Array.from(moved.flat()));
}
writeFileSync(target, encodeOnnx(replaceWeights(model, changes)));
