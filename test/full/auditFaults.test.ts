/** Audits of segmentation-3.0 against its own weights in PyTorch's form, with a fault planted in each. */
import { beforeAll, describe, expect, it } from 'vitest';
import { listWeights, replaceWeights } from '../../src/onnx/weights';
import type { AuditEntry } from '../../src/compare/report';
import type { Tensor } from '../../src/compare/tensor';
import { someValues } from '../compare/checkpointFiles';
import { audit, entryNamed, flagsOf, openShipped } from '../compare/auditRun';
import { gatesOf, pytorchCheckpoint } from '../compare/pytorchCheckpoint';

const segmentation = openShipped('segmentation-3.0');

interface Fault {
  readonly title: string;
  /** Changes the graph's weights, the checkpoint's, or both. */
  readonly graph?: (values: (name: string) => Float32Array) => Record<string, Float32Array>;
  readonly checkpoint?: (tensors: Map<string, Tensor>) => void;
  /** The tensor to check, by name in either file, with the expected entry and remark. */
  readonly inGraph?: readonly [string, Partial<AuditEntry>, string?];
  readonly inCheckpoint?: readonly [string, Partial<AuditEntry>, string?];
}

const LSTM_W = 'onnx::LSTM_743';
const LSTM_R = 'onnx::LSTM_744';
const changed = (values: Float32Array, index: number, value: number): Float32Array => values.with(index, value);
const renamed = (tensors: Map<string, Tensor>, from: string, to: string): void => {
  tensors.set(to, tensors.get(from)!);
  tensors.delete(from);
};

const FAULTS: readonly Fault[] = [
  {
    title: 'another name',
    checkpoint: (tensors) => { renamed(tensors, 'sincnet.conv1d.2.bias', 'filters.third.offset'); },
    inGraph: ['conv1d.2.bias', { flags: [], match: { name: 'filters.third.offset', how: 'bytes' } }],
    inCheckpoint: ['filters.third.offset', { flags: [], match: { name: 'conv1d.2.bias', how: 'bytes' } }],
  },
  {
    title: 'a name with other separators and wrappers, and other values',
    checkpoint: (tensors) => {
      renamed(tensors, 'linear.0.bias', 'module.model/linear_0/bias');
      const { shape, data } = tensors.get('module.model/linear_0/bias')!;
      tensors.set('module.model/linear_0/bias', { shape, data: changed(data, 5, data[5]! + 0.25) });
    },
    inGraph: ['linear.0.bias', { flags: ['values-differ'], match: { name: 'module.model/linear_0/bias', how: 'name' } }, 'by up to 0.25'],
  },
  {
    title: 'one value differs',
    graph: (values) => ({ 'conv1d.1.bias': changed(values('conv1d.1.bias'), 3, values('conv1d.1.bias')[3]! + 0.5) }),
    inGraph: ['conv1d.1.bias', { flags: ['values-differ'] }, 'by up to 0.5'],
    inCheckpoint: ['sincnet.conv1d.1.bias', { flags: ['values-differ'] }, 'conv1d.1.bias differs from this tensor by up to 0.5'],
  },
  {
    title: 'zeros',
    graph: () => ({ 'linear.1.bias': new Float32Array(128) }),
    inGraph: ['linear.1.bias', { flags: ['all-zero', 'values-differ'], zeroCount: 128 }, 'all 128 values are zero'],
  },
  {
    title: 'a NaN',
    graph: (values) => ({ 'norm1d.0.weight': changed(values('norm1d.0.weight'), 7, NaN) }),
    inGraph: ['norm1d.0.weight', { flags: ['not-finite', 'values-differ'], nonFiniteCount: 1 }, '1 of 80 values'],
  },
  {
    title: 'ones on both sides, which are not a fault of the graph',
    graph: () => ({ 'norm1d.1.weight': new Float32Array(60).fill(1) }),
    checkpoint: (tensors) => { tensors.set('sincnet.norm1d.1.weight', { shape: [60], data: new Float32Array(60).fill(1) }); },
    inGraph: ['norm1d.1.weight', { flags: [], match: { name: 'sincnet.norm1d.1.weight', how: 'name' } }, 'all 60 values are 1'],
    inCheckpoint: ['sincnet.norm1d.1.weight', { flags: [] }, 'all 60 values are 1'],
  },
  {
    title: 'missing in the checkpoint',
    checkpoint: (tensors) => { tensors.delete('classifier.bias'); },
    inGraph: ['classifier.bias', { flags: ['unmatched'], match: null }, 'the checkpoint has no counterpart'],
  },
  {
    title: 'missing in the graph',
    checkpoint: (tensors) => { tensors.set('head.weight', someValues([12, 34])); },
    inCheckpoint: ['head.weight', { flags: ['unmatched'], match: null }, 'the graph has no counterpart'],
  },
  {
    title: 'reshaped instead of transposed',
    checkpoint: (tensors) => { tensors.set('linear.0.weight', { shape: [128, 256], data: weightValues('onnx::MatMul_874') }); },
    inGraph: ['onnx::MatMul_874', { flags: ['shape-differs'], match: { name: 'linear.0.weight', how: 'bytes' } }, 'in the same order'],
  },
  {
    title: 'another shape',
    checkpoint: (tensors) => { tensors.set('classifier.bias', someValues([9])); },
    inGraph: ['classifier.bias', { flags: ['shape-differs'] }, '(9) in the checkpoint, (7) in the graph'],
  },
  {
    title: 'three axes permuted',
    checkpoint: (tensors) => {
      const { data } = tensors.get('sincnet.conv1d.1.weight')!;
      const turned = new Float32Array(data.length);
      // (out, in, tap) as (tap, in, out), the layout of Keras.
      data.forEach((value, index) => { turned[(index % 5) * 4800 + (Math.floor(index / 5) % 80) * 60 + Math.floor(index / 400)] = value; });
      tensors.set('sincnet.conv1d.1.kernel', { shape: [5, 80, 60], data: turned });
      tensors.delete('sincnet.conv1d.1.weight');
    },
    inGraph: ['conv1d.1.weight', { flags: ['permuted'], match: { name: 'sincnet.conv1d.1.kernel', how: 'name' } }, 'in the order 2, 1, 0'],
  },
  {
    title: 'filters in another order',
    checkpoint: (tensors) => {
      const all = Array.from({ length: 60 }, (_, filter) => 59 - filter);
      tensors.set('sincnet.conv1d.2.weight', gatesOf(tensors.get('sincnet.conv1d.2.weight')!, all));
    },
    inGraph: ['conv1d.2.weight', { flags: ['reordered'] }, '60 of 60'],
  },
  {
    title: "the gates left in PyTorch's order",
    graph: (values) => ({ [LSTM_W]: inPytorchOrder(values(LSTM_W)) }),
    inGraph: [LSTM_W, { flags: ['reordered'] }, 'forward weight_ih: its gates are in the order i, f, c, o, but ONNX reads i, o, f, c'],
  },
  {
    title: 'the directions swapped',
    graph: (values) => ({ [LSTM_R]: gatesOf({ shape: [], data: values(LSTM_R) }, [1, 0]).data }),
    inGraph: [LSTM_R, { flags: ['reordered'] }, 'forward weight_hh: it belongs to the other direction'],
  },
  {
    title: "an LSTM's weight with another value",
    graph: (values) => ({ [LSTM_W]: changed(values(LSTM_W), 0, values(LSTM_W)[0]! + 2) }),
    inGraph: [LSTM_W, { flags: ['values-differ'] }, 'its forward weight_ih differs from lstm.weight_ih_l0 by up to 2'],
    inCheckpoint: ['lstm.weight_ih_l0', { flags: ['values-differ'] }],
  },
  {
    title: "an LSTM's bias missing in the checkpoint",
    checkpoint: (tensors) => { tensors.delete('lstm.bias_hh_l0_reverse'); },
    inGraph: ['onnx::LSTM_742', { flags: ['unmatched'] }, 'no counterpart for its reverse bias_hh'],
  },
  {
    title: 'a linear layer without a name, with another value',
    graph: (values) => ({ 'onnx::MatMul_875': changed(values('onnx::MatMul_875'), 1, 40) }),
    inGraph: ['onnx::MatMul_875', { flags: ['values-differ'], match: { name: 'linear.1.weight', how: 'name' } }],
  },
  {
    title: 'a weight that is used twice',
    checkpoint: (tensors) => { tensors.set('tied.weight', tensors.get('sincnet.conv1d.2.weight')!); },
    inCheckpoint: ['tied.weight', { flags: [], match: { name: 'conv1d.2.weight', how: 'bytes' } }],
  },
  {
    title: "another layer's values under a weight's name",
    graph: (values) => ({ 'norm1d.1.bias': values('norm1d.2.bias') }),
    inGraph: ['norm1d.1.bias', { flags: ['values-differ'], match: { name: 'sincnet.norm1d.1.bias', how: 'name' } }, 'its values are those of sincnet.norm1d.2.bias'],
  },
  {
    title: 'a batch norm folded into a convolution',
    checkpoint: (tensors) => {
      const { shape, data } = tensors.get('sincnet.conv1d.2.weight')!;
      const factors = someValues([60]).data;
      tensors.set('block.conv.weight', { shape, data: data.map((value, index) => value * factors[Math.floor(index / 300)]!) });
      tensors.set('block.norm.running_mean', someValues([60], 2));
      tensors.delete('sincnet.conv1d.2.weight');
    },
    inGraph: ['conv1d.2.weight', { flags: ['unmatched'], match: null }, 'its rows are multiples of those of block.conv.weight'],
    inCheckpoint: ['block.norm.running_mean', { flags: ['unmatched'] }, 'perhaps by folding: the checkpoint has 1 batch norms and the graph no BatchNormalization node'],
  },
];

const weightValues = (name: string): Float32Array =>
  listWeights(segmentation).find((one) => one.name === name)!.values()!;

/** Converts (direction, gate, …) from ONNX's gate order to PyTorch's. */
function inPytorchOrder(values: Float32Array): Float32Array {
  return gatesOf({ shape: [], data: values }, [0, 2, 3, 1, 4, 6, 7, 5]).data;
}

describe('a fault', () => {
  const original = pytorchCheckpoint(segmentation);
  let before: ReturnType<typeof flagsOf>;
  beforeAll(async () => {
    before = flagsOf((await audit(segmentation, original)).weights);
  });

  it.each(FAULTS)('$title', async ({ graph, checkpoint, inGraph, inCheckpoint }) => {
    const tensors = new Map(original);
    checkpoint?.(tensors);
    const model = graph ? replaceWeights(segmentation, new Map(Object.entries(graph(weightValues)))) : segmentation;
    const report = await audit(model, tensors);
    for (const [side, expected, entries] of [['graph', inGraph, report.weights], ['checkpoint', inCheckpoint, report.checkpoint!.weights]] as const) {
      if (!expected) continue;
      const [name, parts, remark] = expected;
      const found = entryNamed(entries, name);
      expect(found, side).toMatchObject(parts);
      if (remark !== undefined) expect(found.remarks.join('\n')).toContain(remark);
    }
    // Other tensors have the same flags as without the fault.
    const others = Object.entries(flagsOf(report.weights)).filter(([name]) => name !== inGraph?.[0]);
    const touched = ['block.conv.weight', 'norm1d.2.bias'];
    for (const [name, flags] of others) if (!touched.includes(name)) expect(flags, name).toEqual(before[name]);
  });
});
