import { copyWith } from '../../onnx/message';
import type { NodeProto } from '../../onnx/onnx_pb';
import { Draft, intAttribute, intOf, withAttributes } from '../../onnx/replaceNodes';
import type { Tensor } from '../tensor';
import { sizeOf } from '../tensor';
import type { Cause } from '../report';
import type { CauseContext } from './context';
import { provenRepair, repairsOf } from './repair';

/** Batch norms that are tried. */
const MAX_NODES = 16;

/** A batch norm normalizes by the statistics of the batch, as in training, on one side only. */
export async function batchStatistics(context: CauseContext): Promise<Cause | null> {
  const { graph } = context;
  const nodes = graph?.nodes.filter(({ opType }) => opType === 'BatchNormalization').slice(0, MAX_NODES) ?? [];
  if (!graph || nodes.length === 0) return null;
  const training = nodes.filter((node) => intOf(node, 'training_mode', 0) === 1);
  const others = nodes.filter((node) => !training.includes(node));
  const inputs = await graph.values(others.map(({ input }) => input[0]!));
  return provenRepair(context, 'batch-norm-training', repairsOf([
    {
      changes: training.map((node) => ({ node, nodes: [evaluated(node)] })),
      text: (label) => `using the stored statistics in ${label}`,
      values: { training: 'ours' },
    },
    {
      changes: others.flatMap((node) => {
        const input = inputs.get(node.input[0]!);
        return input && input.shape.length >= 2 ? [{ node, nodes: withStatistics(node, input) }] : [];
      }),
      text: (label) => `using the statistics of the batch, as in training, in ${label}`,
      values: { training: 'golden' },
    },
  ]));
}

function evaluated(node: NodeProto): NodeProto {
  const changed = withAttributes(node, intAttribute('training_mode', 0));
  return copyWith(changed, { output: node.output.slice(0, 1) });
}

/** With the mean and variance of `input`, axes (batch, channel, …), in place of the stored ones. */
function withStatistics(node: NodeProto, { shape, data }: Tensor): readonly NodeProto[] {
  const [numItems = 1, numChannels = 1] = shape;
  const stride = sizeOf(shape.slice(2));
  const sums = new Float64Array(numChannels);
  const squares = new Float64Array(numChannels);
  const each = (visit: (channel: number, value: number) => void): void => {
    for (let index = 0; index < data.length; index++) visit(Math.floor(index / stride) % numChannels, data[index]!);
  };
  const count = numItems * stride;
  each((channel, value) => { sums[channel]! += value; });
  each((channel, value) => { squares[channel]! += (value - sums[channel]! / count) ** 2; });
  const draft = new Draft(node.output[0]!);
  const mean = draft.floats([numChannels], Float32Array.from(sums, (sum) => sum / count));
  const variance = draft.floats([numChannels], Float32Array.from(squares, (square) => square / count));
  return draft.give(draft.copy(node, { input: [...node.input.slice(0, 3), mean, variance] }));
}
