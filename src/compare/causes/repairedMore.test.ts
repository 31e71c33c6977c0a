/** Faults in biases, normalizations, activations, pooling and quantization, each found by running the repaired graph. */
import { describe, expect, it } from 'vitest';
import { expectPlanted } from '../../../test/compare/plantedGraph';
import { build, float, int, node, weight } from '../../../test/onnx/build';
import { noise, type Floats } from '../../../test/onnx/run';
import { AttributeProto_AttributeType, type ModelProto } from '../../onnx/onnx_pb';

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

  it('states that a bias differs, and not that it is missing', async () => {
    const cause = await expectPlanted({ right: linear(b), faulty: linear(changed(b, (value, index) => value + 0.1 * index)) }, X, 'other-bias');
    expect(cause.evidence).toMatch(/with these numbers added to the bias b of the node plus, the stage gives the golden values$/);
    // One value is enough if the run proves it.
    await expectPlanted({ right: linear(b), faulty: linear(changed(b, (value, index) => (index === 5 ? value + 0.1 : value))) }, X, 'other-bias');
  });

  it('is still missing if it is zero', async () => {
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
