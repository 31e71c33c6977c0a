/**
 * Faults in attention, convolutions, recurrent layers, padding and normalization, each found by running the repaired graph.
 */
import { describe, expect, it } from 'vitest';
import { expectPlanted } from '../../../test/compare/plantedGraph';
import { build, float, int, ints, node, text, weight } from '../../../test/onnx/build';
import { noise, type Floats } from '../../../test/onnx/run';
import type { ModelProto } from '../../onnx/onnx_pb';

type Nodes = NonNullable<Parameters<typeof build>[0]['node']>;

const random = (name: string, ...shape: number[]): ReturnType<typeof weight> => {
  const seed = Array.from(name, (letter) => letter.charCodeAt(0)).reduce((sum, code) => sum + code, 0);
  return weight(name, shape, Array.from(noise(...shape).data, (_, index) => Math.sin((index + seed) ** 2 + seed)));
};
const scaled = (x: Floats, factor: number): Floats => ({ shape: x.shape, data: x.data.map((value) => factor * value) });
const graphOf = (rank: number, nodes: Nodes, initializer: ReturnType<typeof weight>[] = [], version = 20n): ModelProto => {
  const axes = Array.from({ length: rank }, () => null);
  return build({ input: [float('x', ...axes)], output: [{ name: 'y' }], initializer, node: nodes }, { opsetImport: [{ domain: '', version }] });
};

describe('attention', () => {
  const weights = [random('wq', 8, 8), random('wk', 8, 8), random('wv', 8, 8), weight('root', [], [Math.sqrt(8)])];
  const mask = weight('mask', [6, 6], Array.from({ length: 36 }, (_, index) => (index % 6 > Math.floor(index / 6) ? -Infinity : 0)));
  const X = scaled(noise(1, 6, 8), 0.7);
  const attention = ({ divides = true, masks = true, swaps = false }: { divides?: boolean; masks?: boolean; swaps?: boolean } = {}): ModelProto =>
    graphOf(
      3,
      [
        node('MatMul', ['x', swaps ? 'wk' : 'wq'], ['q']),
        node('MatMul', ['x', swaps ? 'wq' : 'wk'], ['k']),
        node('MatMul', ['x', 'wv'], ['v']),
        node('Transpose', ['k'], ['kt'], { attribute: [ints('perm', 0, 2, 1)] }),
        node('MatMul', ['q', 'kt'], ['s'], { name: 'scores' }),
        divides ? node('Div', ['s', 'root'], ['d']) : node('Identity', ['s'], ['d']),
        masks ? node('Add', ['d', 'mask'], ['m'], { name: 'masking' }) : node('Identity', ['d'], ['m']),
        node('Softmax', ['m'], ['p'], { name: 'softmax' }),
        node('MatMul', ['p', 'v'], ['y']),
      ],
      [...weights, mask],
    );

  it('attention-scale: not divided by √d', async () => {
    const cause = await expectPlanted({ right: attention(), faulty: attention({ divides: false }) }, X, 'attention-scale');
    expect(cause.evidence).toMatch(/^dividing the scores of the node scores by √8 gives/);
  });

  it('causal-mask: missing, or not golden', async () => {
    const missing = await expectPlanted({ right: attention(), faulty: attention({ masks: false }) }, X, 'causal-mask');
    expect(missing.values).toMatchObject({ mask: 'missing', nodes: 'softmax' });
    const added = await expectPlanted({ right: attention({ masks: false }), faulty: attention() }, X, 'causal-mask');
    expect(added.values).toMatchObject({ mask: 'not golden', nodes: 'masking' });
  });

  it('query-key-swapped', async () => {
    await expectPlanted({ right: attention(), faulty: attention({ swaps: true }) }, X, 'query-key-swapped');
  });

  it('interleaved-heads', async () => {
    const split = (name: string, isInterleaved: boolean): Nodes =>
      isInterleaved
        ? [
            node('Reshape', [name, 'other'], [`${name}r`], { name: `split ${name}` }),
            node('Transpose', [`${name}r`], [`${name}h`], { attribute: [ints('perm', 0, 3, 1, 2)] }),
          ]
        : [
            node('Reshape', [name, 'heads'], [`${name}r`], { name: `split ${name}` }),
            node('Transpose', [`${name}r`], [`${name}h`], { attribute: [ints('perm', 0, 2, 1, 3)] }),
          ];
    const heads = (isInterleaved: boolean): ModelProto => {
      const constants = build({
        node: [
          node('Constant', [], ['heads'], { attribute: [ints('value_ints', 1, 6, 2, 4)] }),
          node('Constant', [], ['other'], { attribute: [ints('value_ints', 1, 6, 4, 2)] }),
        ],
      }).graph!.node;
      return graphOf(
        3,
        [
          ...constants,
          node('MatMul', ['x', 'wq'], ['q']),
          node('MatMul', ['x', 'wk'], ['k']),
          ...split('q', isInterleaved),
          ...split('k', isInterleaved),
          node('Transpose', ['kh'], ['kt'], { attribute: [ints('perm', 0, 1, 3, 2)] }),
          node('MatMul', ['qh', 'kt'], ['s']),
          node('Softmax', ['s'], ['y']),
        ],
        weights,
      );
    };
    const cause = await expectPlanted({ right: heads(true), faulty: heads(false) }, X, 'interleaved-heads');
    expect(cause.values.kind).toBe('split');
  });
});

describe('conv-kernel', () => {
  const X = noise(1, 3, 9, 9);
  const w = random('w', 3, 3, 3, 3);
  const changed = (indexIn: (o: number, i: number, r: number, c: number) => readonly number[]): ReturnType<typeof weight> => {
    const source = new Float32Array(new Uint8Array(w.rawData).buffer);
    return weight('w', [3, 3, 3, 3], Array.from(source, (_, index) => {
      const [o = 0, i = 0, r = 0, c = 0] = indexIn(Math.floor(index / 27), Math.floor(index / 9) % 3, Math.floor(index / 3) % 3, index % 3);
      return source[((o * 3 + i) * 3 + r) * 3 + c]!;
    }));
  };
  const conv = (kernel: ReturnType<typeof weight>): ModelProto => graphOf(4, [node('Conv', ['x', 'w'], ['y'])], [kernel]);

  it.each([
    ['flipped', changed((o, i, r, c) => [o, i, 2 - r, 2 - c])],
    ['input channels reversed', changed((o, i, r, c) => [o, 2 - i, r, c])],
    ['transposed in space', changed((o, i, r, c) => [o, i, c, r])],
    ['input and output channels exchanged', changed((o, i, r, c) => [i, o, r, c])],
  ])('%s', async (change, kernel) => {
    const cause = await expectPlanted({ right: conv(w), faulty: conv(kernel) }, X, 'conv-kernel');
    expect(cause.values.change).toBe(change);
  });
});

describe('padding', () => {
  const w = random('w', 4, 3, 5);
  const X = noise(1, 3, 20);
  const conv = (...pads: number[]): ModelProto => graphOf(3, [node('Conv', ['x', 'w'], ['y'], { attribute: [ints('pads', ...pads)] })], [w]);

  it('all on one side', async () => {
    const cause = await expectPlanted({ right: conv(4, 0), faulty: conv(2, 2) }, X, 'padding');
    expect(cause.values.side).toBe('all at the start');
  });

  it('by reflection', async () => {
    const constants = build({ node: [node('Constant', [], ['pads'], { attribute: [ints('value_ints', 0, 0, 2, 0, 0, 2)] })] }).graph!.node;
    const right = graphOf(3, [...constants, node('Pad', ['x', 'pads'], ['p'], { attribute: [text('mode', 'reflect')] }), node('Conv', ['p', 'w'], ['y'])], [w]);
    const cause = await expectPlanted({ right, faulty: conv(2, 2) }, X, 'padding');
    expect(cause.values.mode).toBe('reflect');
    const edge = graphOf(3, [...constants, node('Pad', ['x', 'pads'], ['p'], { attribute: [text('mode', 'edge')] }), node('Conv', ['p', 'w'], ['y'])], [w]);
    expect((await expectPlanted({ right, faulty: edge }, X, 'padding')).values.mode).toBe('reflect');
  });
});

describe('gru', () => {
  const X = noise(7, 1, 3);
  const [w, r, b] = [random('w', 1, 12, 3), random('r', 1, 12, 4), random('b', 1, 24)];
  const swapped = (tensor: ReturnType<typeof weight>): ReturnType<typeof weight> => {
    const source = new Float32Array(new Uint8Array(tensor.rawData).buffer);
    const block = source.length / (tensor.name === 'b' ? 6 : 3);
    const shape = tensor.dims.map(Number);
    return weight(tensor.name, shape, Array.from(source, (_, index) => {
      const gate = Math.floor(index / block) % 3;
      return source[index + (gate === 0 ? block : gate === 1 ? -block : 0)]!;
    }));
  };
  const gru = (reset: number, ...weights: ReturnType<typeof weight>[]): ModelProto =>
    graphOf(3, [node('GRU', ['x', 'w', 'r', 'b'], ['y', 'h'], { attribute: [int('hidden_size', 4), int('linear_before_reset', reset)] })], weights);

  it("finds PyTorch's order of gates, the place of the reset gate, or both", async () => {
    const right = gru(1, w, r, b);
    const order = await expectPlanted({ right, faulty: gru(1, swapped(w), swapped(r), swapped(b)) }, X, 'gru');
    expect(order.values.change).toBe('reading the gates in the order r, z, h as in PyTorch');
    const reset = await expectPlanted({ right, faulty: gru(0, w, r, b) }, X, 'gru');
    expect(reset.values.change).toBe('the other linear_before_reset');
    const both = await expectPlanted({ right, faulty: gru(0, swapped(w), swapped(r), swapped(b)) }, X, 'gru');
    expect(both.values.change).toContain('r, z, h as in PyTorch, with the other');
  });
});

it.each(['Tanh', 'Identity'])('batch-norm-training before %s', async (next) => {
  const channel = (name: string, ...values: number[]): ReturnType<typeof weight> => weight(name, [3], values);
  const X = scaled(noise(4, 3, 10), 2);
  const stride = 10;
  const of = (channelIndex: number): number[] => [...X.data].filter((_, index) => Math.floor(index / stride) % 3 === channelIndex);
  const mean = [0, 1, 2].map((index) => of(index).reduce((sum, value) => sum + value, 0) / 40);
  const variance = [0, 1, 2].map((index) => of(index).reduce((sum, value) => sum + (value - mean[index]!) ** 2, 0) / 40);
  const norm = (...statistics: ReturnType<typeof weight>[]): ModelProto =>
    graphOf(
      3,
      [node('BatchNormalization', ['x', 's', 'b', 'm', 'v'], ['h'], { name: 'norm' }), node(next, ['h'], ['y'])],
      [channel('s', 1, 1.5, 0.5), channel('b', 0.1, -0.2, 0.3), ...statistics],
    );
  const right = norm(channel('m', ...mean), channel('v', ...variance));
  const faulty = norm(channel('m', 0.2, -0.1, 0.4), channel('v', 1, 2, 0.5));
  const cause = await expectPlanted({ right, faulty }, X, 'batch-norm-training');
  expect(cause.values).toMatchObject({ training: 'golden', nodes: 'norm' });
});

it('resize-mode', async () => {
  const scales = weight('scales', [4], [1, 1, 2, 2]);
  const resize = (...settings: readonly (readonly [string, string])[]): ModelProto =>
    graphOf(4, [node('Resize', ['x', '', 'scales'], ['y'], { attribute: settings.map(([name, value]) => text(name, value)) })], [scales]);
  const half = [['mode', 'linear'], ['coordinate_transformation_mode', 'half_pixel']] as const;
  const corners = [['mode', 'linear'], ['coordinate_transformation_mode', 'align_corners']] as const;
  const cause = await expectPlanted({ right: resize(...half), faulty: resize(...corners) }, noise(1, 2, 6, 6), 'resize-mode');
  expect(cause.values).toMatchObject({ mode: 'linear', coordinates: 'half_pixel' });
});

it('double-preprocessing', async () => {
  const weights = [weight('mean', [1, 8], [1, 2, 3, 4, 5, 6, 7, 8]), weight('deviation', [], [3]), random('w', 8, 5)];
  const right = graphOf(2, [node('MatMul', ['x', 'w'], ['h']), node('Tanh', ['h'], ['y'])], weights);
  const faulty = graphOf(
    2,
    [
      node('Sub', ['x', 'mean'], ['c'], { name: 'center' }),
      node('Div', ['c', 'deviation'], ['n'], { name: 'scale' }),
      node('MatMul', ['n', 'w'], ['h']),
      node('Tanh', ['h'], ['y']),
    ],
    weights,
  );
  const cause = await expectPlanted({ right, faulty }, noise(6, 8), 'double-preprocessing');
  expect(cause.values.nodes).toBe('center, scale');
});

describe('rounded-weights', () => {
  const w = random('w', 16, 16);
  const source = new Float32Array(new Uint8Array(w.rawData).buffer);
  const linear = (values: ArrayLike<number>): ModelProto => graphOf(2, [node('MatMul', ['x', 'w'], ['y'])], [weight('w', [16, 16], [...Array.from(values)])]);
  const greatest = source.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

  it.each([
    ['bfloat16', source.map((value) => {
      const bits = new Uint32Array(Float32Array.of(value).buffer)[0]!;
      const rounded = bits + 0x7fff + ((bits >>> 16) & 1);
      return new Float32Array(Uint32Array.of(rounded & 0xffff0000).buffer)[0]!;
    })],
    ['int8 (one scale)', source.map((value) => Math.round((value / greatest) * 127) * (greatest / 127))],
  ])('%s', async (dtype, rounded) => {
    const cause = await expectPlanted({ right: linear(rounded), faulty: linear(source) }, noise(9, 16), 'rounded-weights');
    expect(cause.values.dtype).toBe(dtype);
  });
});
