import { readFileSync } from 'node:fs';
import { copyWith } from '../../src/onnx/nodes';
import { encodeOnnx, parseOnnx } from '../../src/onnx/model';

/** The shipped graph with the gates of its first LSTM in PyTorch's order. */
export function withSwappedGates(): Uint8Array {
  const model = parseOnnx(readFileSync('models/segmentation-3.0/model.onnx'), 'model.onnx');
  const graph = model.graph!;
  const lstm = graph.node.find(({ opType }) => opType === 'LSTM')!;
  // Input weights, state weights, and biases.
  const [, w, r, b] = lstm.input;
  const initializer = graph.initializer.map((tensor) => {
    if (![w, r, b].includes(tensor.name)) return tensor;
    const values = new Float32Array(new Uint8Array(tensor.rawData).buffer);
    const block = values.length / (tensor.name === b ? 16 : 8);
    const swapped = Float32Array.from(values, (_, i) => {
      const gate = Math.floor(i / block) % 4;
      return values[i + ([0, 2, 3, 1][gate]! - gate) * block]!;
    });
    return copyWith(tensor, { rawData: new Uint8Array(swapped.buffer) });
  });
  return encodeOnnx(copyWith(model, { graph: copyWith(graph, { initializer }) }));
}
