/** Faults in biases, normalizations, activations, pooling and quantization, each found by running the repaired graph. */
import { describe, expect, it } from 'vitest';
import { expectPlanted } from '../../../test/compare/plantedGraph';
import { build, float, int, ints, node, text, weight } from '../../../test/onnx/build';
import { noise, type Floats } from '../../../test/onnx/run';
import { create } from '@bufbuild/protobuf';
import { AttributeProto_AttributeType, TensorProto_DataType, TensorProtoSchema, type ModelProto } from '../../onnx/onnx_pb';

type Nodes = NonNullable<Parameters<typeof build>[0]['node']>;
type Weight = ReturnType<typeof weight>;

const valuesOf = ({ rawData }: Weight): Float32Array => new Float32Array(new Uint8Array(rawData).buffer);
const random = (name: string, ...shape: number[]): Weight => {
  const seed = Array.from(name, (letter) => letter.charCodeAt(0)).reduce((sum, code) => sum + code, 0);
  return weight(name, shape, Array.from(noise(...shape).data, (_, index) => Math.sin((index + seed) ** 2 + seed)));
};
const changed = (own: Weight, change: (value: number, index: number) => number): Weight =>
  weight(own.name, own.dims.map(Number), Array.from(valuesOf(own), change));
const scaled = ({ shape, data }: Floats, factor: number): Floats => ({ shape, data: data.map((value) => factor * value) });
const real = (name: string, f: number) => ({ name, type: AttributeProto_AttributeType.FLOAT, f });
const graphOf = (rank: number, nodes: Nodes, initializer: Weight[] = [], version = 21n): ModelProto => {
  const axes = Array.from({ length: rank }, () => null);
  return build({ input: [float('x', ...axes)], output: [{ name: 'y' }], initializer, node: nodes }, { opsetImport: [{ domain: '', version }] });
};
const constant = (name: string, ...values: number[]): Nodes[number] =>
  node('Constant', [], [name], { attribute: [{ name: 'value_ints', type: AttributeProto_AttributeType.INTS, ints: values.map(BigInt) }] });

describe('other-bias', () => {
  const [w, b] = [random('w', 8, 8), random('b', 8)];
  const linear = (bias: Weight): ModelProto => graphOf(2, [node('MatMul', ['x', 'w'], ['h']), node('Add', ['h', 'b'], ['y'], { name: 'plus' })], [w, bias]);
  const X = noise(20, 8);

  it('reports that a bias differs, not that it is missing', async () => {
    const cause = await expectPlanted({ right: linear(b), faulty: linear(changed(b, (value, index) => value + 0.1 * index)) }, X, 'other-bias');
    expect(cause.evidence).toMatch(/with these numbers added to the bias b of the node plus, the stage gives the golden values$/);
    // One value is enough if the run proves it.
    await expectPlanted({ right: linear(b), faulty: linear(changed(b, (value, index) => (index === 5 ? value + 0.1 : value))) }, X, 'other-bias');
  });

  it('reports a zero bias as missing', async () => {
    await expectPlanted({ right: linear(b), faulty: linear(changed(b, () => 0)) }, X, 'missing-bias');
  });
});

describe('normalization', () => {
  const [s, b] = [random('s', 12), random('b', 12)];
  const X = scaled(noise(1, 12, 10), 0.05);

  it.each(['operator', 'as exported'])('norm-groups and epsilon (%s)', async (kind) => {
    const norm = (groups: number, epsilon = 1e-5): ModelProto =>
      kind === 'operator'
        ? graphOf(3, [node('GroupNormalization', ['x', 's', 'b'], ['y'], { name: 'norm', attribute: [int('num_groups', groups), real('epsilon', epsilon)] })], [s, b])
        : graphOf(
            3,
            [
              constant('split', 0, groups, -1),
              constant('whole', 1, 12, 10),
              constant('channels', 12, 1),
              node('Reshape', ['x', 'split'], ['g']),
              node('InstanceNormalization', ['g', 'ones', 'zeros'], ['n'], { name: 'norm', attribute: [real('epsilon', epsilon)] }),
              node('Reshape', ['n', 'whole'], ['r']),
              node('Reshape', ['s', 'channels'], ['sc']),
              node('Reshape', ['b', 'channels'], ['bc']),
              node('Mul', ['r', 'sc'], ['m']),
              node('Add', ['m', 'bc'], ['y']),
            ],
            [s, b, weight('ones', [groups], Array(groups).fill(1)), weight('zeros', [groups], Array(groups).fill(0))],
          );
    for (const groups of [2, 1, 12]) {
      const cause = await expectPlanted({ right: norm(groups), faulty: norm(4) }, X, 'norm-groups');
      expect(cause.values).toEqual({ groups, nodes: 'norm' });
    }
    const cause = await expectPlanted({ right: norm(4, 1e-3), faulty: norm(4) }, X, 'epsilon');
    expect(cause.values).toEqual({ epsilon: 1e-3, nodes: 'norm' });
  });

  it('norm-groups and epsilon of an instance norm', async () => {
    const instance = (epsilon: number): ModelProto =>
      graphOf(3, [node('InstanceNormalization', ['x', 's', 'b'], ['y'], { name: 'norm', attribute: [real('epsilon', epsilon)] })], [s, b]);
    const group = graphOf(3, [node('GroupNormalization', ['x', 's', 'b'], ['y'], { attribute: [int('num_groups', 3)] })], [s, b]);
    expect((await expectPlanted({ right: group, faulty: instance(1e-5) }, X, 'norm-groups')).values.groups).toBe(3);
    expect((await expectPlanted({ right: instance(1e-6), faulty: instance(1e-3) }, X, 'epsilon')).values.epsilon).toBe(1e-6);
  });
});

describe('parameters of an activation', () => {
  const X = scaled(noise(2, 3, 20), 2);
  const act = (opType: string, ...alpha: number[]): ModelProto =>
    graphOf(3, [node(opType, ['x'], ['y'], { name: 'act', attribute: alpha.map((value) => real('alpha', value)) })]);

  it.each([
    ['Elu', [1], [0.5]],
    ['LeakyRelu', [0.2], []],
    ['LeakyRelu', [0.37], [0.1]],
  ])('%s: alpha', async (opType, right, faulty) => {
    const cause = await expectPlanted({ right: act(opType, ...right), faulty: act(opType, ...faulty) }, X, 'activation');
    expect(cause.values).toEqual({ alpha: right[0], nodes: 'act' });
    expect(cause.evidence).toMatch(/^an alpha of [\d.]+ in place of [\d.]+ in act gives the golden values/);
  });

  it('slopes of PReLU', async () => {
    const prelu = (slopes: Weight): ModelProto => graphOf(3, [node('PRelu', ['x', 's'], ['y'], { name: 'act' })], [slopes]);
    const right = prelu(weight('s', [3, 1], [0.1, 0.3, 0.6]));
    for (const faulty of [act('LeakyRelu', 0.25), prelu(weight('s', [3, 1], [0.25, 0.25, 0.2]))]) {
      const { values } = await expectPlanted({ right, faulty }, X, 'activation');
      expect([values.least, values.greatest].map((slope) => Number(slope).toFixed(3))).toEqual(['0.100', '0.600']);
    }
  });
});

describe('pooling', () => {
  const X = noise(1, 2, 9, 9);
  const pool = (opType: string, ...more: ReturnType<typeof int>[]): ModelProto =>
    graphOf(4, [node(opType, ['x'], ['y'], { name: 'pool', attribute: [ints('kernel_shape', 2, 2), ints('strides', 2, 2), ...more] })]);
  const pads = ints('pads', 1, 1, 0, 0);

  it.each([
    ['count_include_pad', pool('AveragePool', pads, int('count_include_pad', 1)), pool('AveragePool', pads)],
    ['ceil_mode', pool('MaxPool', int('ceil_mode', 1)), pool('MaxPool')],
    ['kind', pool('AveragePool'), pool('MaxPool')],
  ])('%s', async (change, right, faulty) => {
    expect((await expectPlanted({ right, faulty }, X, 'pooling')).values).toEqual({ change, nodes: 'pool' });
  });
});

describe('padding', () => {
  const w = random('w', 4, 3, 5);
  const X = noise(1, 3, 20);
  const pad = (mode: string): ModelProto =>
    graphOf(3, [constant('pads', 0, 0, 2, 0, 0, 2), node('Pad', ['x', 'pads'], ['p'], { name: 'pad', attribute: [text('mode', mode)] }), node('Conv', ['p', 'w'], ['y'])], [w]);
  const conv = graphOf(3, [node('Conv', ['x', 'w'], ['y'], { name: 'conv', attribute: [ints('pads', 2, 2)] })], [w]);

  it.each(['reflect', 'edge', 'wrap'])('zeros in place of %s', async (mode) => {
    const name = mode === 'wrap' ? 'circular' : mode;
    const ofPad = await expectPlanted({ right: pad(mode), faulty: pad('constant') }, X, 'padding');
    expect(ofPad.values).toEqual({ mode: name, nodes: 'pad' });
    const ofConv = await expectPlanted({ right: pad(mode), faulty: conv }, X, 'padding');
    expect(ofConv.values).toEqual({ mode: name, nodes: 'conv' });
  });
});

describe('recurrent layers', () => {
  const X = noise(7, 1, 3);
  const blocks = (own: Weight, order: readonly number[], direction?: number): Weight => {
    const source = valuesOf(own);
    const [directions = 1] = own.dims.map(Number);
    const size = source.length / directions;
    const block = size / order.length;
    return changed(own, (value, index) => {
      const place = index % size;
      if (direction !== undefined && Math.floor(index / size) !== direction) return value;
      return source[index - place + order[Math.floor(place / block)]! * block + (place % block)]!;
    });
  };
  const halves = (own: Weight): Weight => {
    const source = valuesOf(own);
    return changed(own, (_, index) => source[(index + source.length / 2) % source.length]!);
  };
  const layer = (opType: string, weights: Weight[], direction: string): ModelProto =>
    graphOf(3, [node(opType, ['x', 'w', 'r', 'b'], ['y'], { name: 'layer', attribute: [int('hidden_size', 4), text('direction', direction), ...(opType === 'GRU' ? [int('linear_before_reset', 1)] : [])] })], weights);

  it('directions and single weights of a GRU', async () => {
    const [w, r, b] = [random('w', 2, 12, 3), random('r', 2, 12, 4), random('b', 2, 24)];
    const right = layer('GRU', [w, r, b], 'bidirectional');
    const changeOf = async (...weights: Weight[]): Promise<unknown> =>
      (await expectPlanted({ right, faulty: layer('GRU', weights, 'bidirectional') }, X, 'gru')).values.change;
    expect(await changeOf(halves(w), halves(r), halves(b))).toBe('the two directions exchanged');
    expect(await changeOf(w, blocks(r, [1, 0, 2]), b)).toBe('reading only the gates of R in the order r, z, h as in PyTorch');
    expect(await changeOf(blocks(w, [1, 0, 2], 1), r, b)).toBe('reading only the gates of W of direction 1 in the order r, z, h as in PyTorch');
  });

  it('single weights of an LSTM', async () => {
    const [w, r, b] = [random('w', 1, 16, 3), random('r', 1, 16, 4), random('b', 1, 32)];
    const right = layer('LSTM', [w, r, b], 'forward');
    const cause = await expectPlanted({ right, faulty: layer('LSTM', [blocks(w, [2, 1, 0, 3]), r, b], 'forward') }, X, 'lstm-gates');
    expect(cause.evidence).toMatch(/^the gates in the weight W of the LSTM node layer are in the order f, o, i, c/);
  });
});

describe('weights', () => {
  const [w, b] = [random('w', 16, 16), random('b', 16)];
  const X = noise(9, 16);
  const linear = (own: Weight): ModelProto => graphOf(2, [node('MatMul', ['x', 'w'], ['h'], { name: 'linear' }), node('Add', ['h', 'b'], ['y'])], [own, b]);

  it('negated', async () => {
    const cause = await expectPlanted({ right: linear(w), faulty: linear(changed(w, (value) => -value)) }, X, 'negated-weight');
    expect(cause.values).toEqual({ weight: 'w', nodes: 'linear' });
  });

  it('rounded to float16 in the golden network', async () => {
    const rounded = changed(w, (value) => {
      const step = 2 ** (Math.floor(Math.log2(Math.abs(value))) - 10);
      return Math.round(value / step) * step;
    });
    expect((await expectPlanted({ right: linear(rounded), faulty: linear(w) }, X, 'rounded-weights')).values.dtype).toBe('float16');
  });

  it('zero point of int8', async () => {
    const int8 = (name: string, shape: number[], values: readonly number[]): Weight =>
      create(TensorProtoSchema, { name, dataType: TensorProto_DataType.INT8, dims: shape.map(BigInt), rawData: new Uint8Array(Int8Array.from(values).buffer) });
    const q = int8('q', [16, 16], Array.from(valuesOf(w), (value) => Math.round(100 * value)));
    const quantized = (zeroPoint?: number): ModelProto =>
      graphOf(
        2,
        [node('DequantizeLinear', ['q', 's', ...(zeroPoint === undefined ? [] : ['z'])], ['w'], { name: 'dequantize' }), node('MatMul', ['x', 'w'], ['y'])],
        [q, weight('s', [], [0.01]), ...(zeroPoint === undefined ? [] : [int8('z', [], [zeroPoint])])],
      );
    for (const faulty of [quantized(0), quantized()]) {
      expect((await expectPlanted({ right: quantized(3), faulty }, X, 'zero-point')).values).toEqual({ zeroPoint: 3, nodes: 'dequantize' });
    }
  });
});

describe('interleaved heads of one linear layer for queries, keys and values', () => {
  const [heads, size, frames] = [2, 4, 6];
  const width = heads * size;
  const w = random('w', 8, 3 * width);
  const X = scaled(noise(1, frames, 8), 0.7);
  /** The columns of the weight, reordered. */
  const ordered = (from: (part: number, head: number, channel: number) => number): Weight => {
    const source = valuesOf(w);
    return changed(w, (_, index) => {
      const column = index % (3 * width);
      return source[index - column + from(Math.floor(column / width), Math.floor(column / size) % heads, column % size)]!;
    });
  };
  const attention = (own: Weight): ModelProto => {
    const part = (name: string, index: number): Nodes => [
      constant(`${name}i`, index),
      node('Gather', ['parts', `${name}i`], [`${name}g`], { attribute: [int('axis', 0)] }),
      constant(`${name}a`, 0),
      node('Squeeze', [`${name}g`, `${name}a`], [name]),
    ];
    return graphOf(
      3,
      [
        node('MatMul', ['x', 'w'], ['qkv'], { name: 'projection' }),
        constant('shape', 1, frames, 3, heads, size),
        node('Reshape', ['qkv', 'shape'], ['split']),
        node('Transpose', ['split'], ['parts'], { attribute: [ints('perm', 2, 0, 3, 1, 4)] }),
        ...part('q', 0),
        ...part('k', 1),
        ...part('v', 2),
        node('Transpose', ['k'], ['kt'], { attribute: [ints('perm', 0, 1, 3, 2)] }),
        node('MatMul', ['q', 'kt'], ['s']),
        node('Softmax', ['s'], ['p']),
        node('MatMul', ['p', 'v'], ['y']),
      ],
      [own],
    );
  };

  it.each([
    ['(q/k/v, channel, head)', (part: number, head: number, channel: number) => part * width + channel * heads + head],
    ['(head, q/k/v, channel)', (part: number, head: number, channel: number) => (head * 3 + part) * size + channel],
  ])('%s', async (order, golden) => {
    // The golden network reads the weight in another order: reordering its columns returns the same values.
    const cause = await expectPlanted({ right: attention(ordered(golden)), faulty: attention(w) }, X, 'interleaved-heads');
    expect(cause.values).toEqual({ kind: 'packed', order, nodes: 'projection' });
  });
});
