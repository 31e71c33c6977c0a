/** Audits of the shipped graphs and of small ones, alone and with correct checkpoints of each form. */
import { zipSync } from 'fflate';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { graphOf } from '../../onnx/model';
import type { ModelProto, TensorProto } from '../../onnx/onnx_pb';
import { build, node, weight } from '../../../test/onnx/build';
import { listWeights } from '../../onnx/weights';
import type { NamedFile } from '../files/goldenFiles';
import { transpose } from '../align';
import type { Tensor } from '../tensor';
import { buildNpy } from '../../../test/compare/npyFile';
import { buildSafetensors } from '../../../test/weights/safetensorsFile';
import { auditWeights } from './auditWeights';
import { someValues } from '../../../test/compare/checkpointFiles';
import { gatesOf, pytorchCheckpoint } from '../../../test/compare/pytorchCheckpoint';
import { audit, entryNamed, flagsOf, openShipped } from '../../../test/compare/auditRun';

const SHIPPED = ['segmentation-3.0', 'campplus-zh-en'] as const;

/** A graph that holds these weights and does not use them. */
const holding = (...initializer: TensorProto[]): ModelProto =>
  build({ initializer, node: [node('Relu', ['x'], ['y'])] });

const weightOf = (name: string, { shape, data }: Tensor): TensorProto => weight(name, shape, Array.from(data));

describe('a graph alone', () => {
  it.each(SHIPPED)('%s: every weight is listed, and none is flagged', async (id) => {
    const model = openShipped(id);
    const report = await auditWeights(model, id, null, () => undefined);
    const expected = listWeights(model).filter(({ dtype, shape }) => dtype === 'float32' && shape.some((size) => size > 1));
    expect(report).toMatchObject({ model: id, checkpoint: null, numFlagged: 0 });
    expect(report.weights.map(({ name }) => name)).toEqual(expected.map(({ name }) => name));
    const hashes = expected.map(({ bytes }) => createHash('sha256').update(bytes()).digest('hex'));
    expect(report.weights.map(({ sha256 }) => sha256)).toEqual(hashes);
    expect(report.weights.every(({ match, remarks }) => match === null && remarks.length === 0)).toBe(true);
  });

  it('reports mean, spread, zeros and non-finite values', async () => {
    const model = holding(
      weight('w', [6], [1, 3, 0, 0, NaN, -Infinity]),
      weight('none', [2], [NaN, NaN]),
      weight('one', [1], [NaN]),
    );
    const { weights } = await auditWeights(model, 'm', null, () => undefined);
    expect(weights).toMatchObject([
      // Of 1, 3, 0, 0: the mean is 1, the squared distances 0, 4, 1, 1.
      { name: 'w', mean: 1, standardDeviation: Math.sqrt(6 / 4), zeroCount: 2, nonFiniteCount: 2, flags: ['not-finite'] },
      { name: 'none', mean: null, standardDeviation: null, nonFiniteCount: 2 },
    ]);
    expect(weights[0]!.remarks).toEqual(['2 of 6 values are NaN or infinite']);
  });

  it('flags weights that were never trained or loaded, and leaves out other tensors', async () => {
    const model = build({
      initializer: [
        weight('ones', [3], [1, 1, 1]),
        weight('zeros', [3], [0, 0, 0]),
        weight('bn.running_mean', [3], [0, 0, 0]),
        weight('factor', [], [0]),
        weight('state', [1, 1, 2], [0, 0]),
        weight('w', [1, 8, 2], Array.from({ length: 16 }, (_, index) => index)),
        weight('r', [1, 8, 2], Array.from({ length: 16 }, (_, index) => index)),
      ],
      node: [node('LSTM', ['x', 'w', 'r', '', '', 'state'], ['y'])],
    });
    const { weights } = await auditWeights(model, 'm', null, () => undefined);
    expect(weights.map(({ name }) => name)).toEqual(['ones', 'zeros', 'bn.running_mean', 'w', 'r']);
    expect(flagsOf(weights)).toEqual({ ones: ['initial'], zeros: ['all-zero'], 'bn.running_mean': ['all-zero', 'initial'] });
  });

  it('flags bytes that do not fit the shape', async () => {
    const short = weight('w', [2, 3], [1, 2]);
    const { weights, numFlagged } = await auditWeights(holding(short), 'm', null, () => undefined);
    expect(numFlagged).toBe(1);
    expect(weights).toMatchObject([{ flags: ['misaligned'], mean: null, remarks: ['float32 (2, 3) needs 24 bytes, but the file has 8'] }]);
  });

  it('stops if a step throws', async () => {
    const steps: string[] = [];
    const cancel = (step: string, completed: number): void => {
      steps.push(step);
      if (completed > 0) throw new Error('cancelled');
    };
    await expect(auditWeights(openShipped('campplus-zh-en'), 'm', null, cancel)).rejects.toThrow('cancelled');
    expect(steps.length).toBe(2);
  });
});

describe("against PyTorch's form of the same weights", () => {
  it('finds each, with LSTMs reordered and linear layers permuted as ONNX requires, and no flags', async () => {
    const segmentation = openShipped('segmentation-3.0');
    const report = await audit(segmentation, pytorchCheckpoint(segmentation));
    expect(report.numFlagged).toBe(0);
    const howOf = (name: string): string => (name.startsWith('onnx::LSTM') ? 'reordered' : name.startsWith('onnx::') ? 'permuted' : 'name');
    for (const { name, match } of report.weights) expect(match?.how).toBe(howOf(name));
    for (const { match } of report.checkpoint!.weights) expect(match).not.toBeNull();
    const [first] = graphOf(segmentation).node.filter(({ opType }) => opType === 'LSTM');
    const [, w = '', , b = ''] = first!.input;
    expect(entryNamed(report.weights, w).match?.name).toBe('lstm.weight_ih_l0 + lstm.weight_ih_l0_reverse');
    expect(entryNamed(report.weights, b).match?.name).toBe(
      'lstm.bias_ih_l0 + lstm.bias_hh_l0 + lstm.bias_ih_l0_reverse + lstm.bias_hh_l0_reverse',
    );
    expect(entryNamed(report.weights, w).remarks[0]).toContain('lstm.weight_ih_l0 with its rows in 4 blocks in the order 0, 3, 1, 2, as ONNX needs');
    // A single value, listed because the checkpoint has it too.
    expect(entryNamed(report.weights, 'wav_norm1d.weight').match?.name).toBe('sincnet.wav_norm1d.weight');
  });
});

describe('changes of a correct export', () => {
  const linear = (name: string, shape: readonly number[], data: Float32Array) =>
    build({ input: [], initializer: [weight(name, shape, Array.from(data))], node: [node('MatMul', ['x', name], ['y'])] });

  it('a weight is not transposed if the checkpoint has the inputs first, as in Keras', async () => {
    const w = someValues([6, 5]);
    const { weights } = await audit(linear('w', [5, 6], transpose(w, [1, 0]).data), new Map([['dense.kernel', w]]));
    expect(flagsOf(weights)).toEqual({ w: ['permuted'] });
  });

  it('a square weight counts only if others show the layout of the checkpoint', async () => {
    const [square, wide] = [someValues([5, 5], 2), someValues([6, 5], 3)];
    const both = build({
      initializer: [weight('a', [5, 5], Array.from(transpose(square, [1, 0]).data)), weight('b', [5, 6], Array.from(transpose(wide, [1, 0]).data))],
      node: [node('MatMul', ['x', 'a'], ['h']), node('MatMul', ['h', 'b'], ['y'])],
    });
    expect((await audit(both, new Map([['one.weight', square], ['two.weight', wide]]))).numFlagged).toBe(0);
    // A port that forgot to transpose it.
    graphOf(both).initializer[0] = weight('a', [5, 5], Array.from(square.data));
    const forgotten = await audit(both, new Map([['one.weight', square], ['two.weight', wide]]));
    expect(flagsOf(forgotten.weights)).toEqual({ a: ['permuted'] });
    expect((await audit(both, new Map([['one.matrix', square], ['two.weight', wide]]))).numFlagged).toBe(0);
    const alone = await audit(linear('a', [5, 5], transpose(square, [1, 0]).data), new Map([['one.weight', square]]));
    expect(flagsOf(alone.weights)).toEqual({ a: ['permuted'] });
  });

  it('an embedding may also be the last layer', async () => {
    const [table, other] = [someValues([6, 5], 2), someValues([7, 6], 3)];
    const tied = build({
      initializer: [weightOf('emb.weight', table), weight('onnx::MatMul_9', [5, 6], Array.from(transpose(table, [1, 0]).data)), weight('onnx::MatMul_10', [6, 7], Array.from(transpose(other, [1, 0]).data))],
      node: [node('Gather', ['emb.weight', 'x'], ['h']), node('MatMul', ['h', 'onnx::MatMul_9'], ['z']), node('MatMul', ['z', 'onnx::MatMul_10'], ['y'])],
    });
    const sound = new Map([['emb.weight', table], ['out.weight', other]]);
    const { weights, numFlagged } = await audit(tied, sound);
    expect(numFlagged).toBe(0);
    expect(entryNamed(weights, 'onnx::MatMul_9').match).toEqual({ name: 'emb.weight', how: 'permuted' });
    // If it replaces another weight, that weight has no counterpart.
    const untied = await audit(tied, new Map([...sound, ['head.weight', someValues([6, 5], 4)]]));
    expect(flagsOf(untied.checkpoint!.weights)).toEqual({ 'head.weight': ['unmatched'] });
  });

  it('the inner norm of a GroupNorm, and the factors of a Resize', async () => {
    const [w, b] = [someValues([4, 1, 1], 2), someValues([4, 1, 1], 3)];
    const net = build({
      initializer: [weight('ones', [2], [1, 1]), weight('zeros', [2], [0, 0]), weight('factors', [4], [1, 1, 2, 2]), weightOf('gn.weight', w), weightOf('gn.bias', b)],
      node: [
        node('InstanceNormalization', ['x', 'ones', 'zeros'], ['n']), node('Mul', ['n', 'gn.weight'], ['m']),
        node('Add', ['m', 'gn.bias'], ['a']), node('Resize', ['a', '', 'factors'], ['y']),
      ],
    });
    const { weights, numFlagged } = await audit(net, new Map([['gn.weight', w], ['gn.bias', b]]));
    expect(numFlagged).toBe(0);
    expect(weights.map(({ name }) => name)).toEqual(['ones', 'zeros', 'gn.weight', 'gn.bias']);
    // A norm that lost its factors is flagged.
    const lost = build({ initializer: [weight('ones', [2], [1, 1]), weight('zeros', [2], [0, 0])], node: [node('InstanceNormalization', ['x', 'ones', 'zeros'], ['y'])] });
    const report = await audit(lost, new Map([['norm.weight', someValues([2], 2)], ['norm.bias', someValues([2], 3)]]));
    expect(report.numFlagged).toBeGreaterThan(0);
  });

  it('zeros that the checkpoint also has', async () => {
    const zeros = { shape: [3], data: new Float32Array(3) };
    const { numFlagged, weights } = await audit(holding(weightOf('key.bias', zeros)), new Map([['key.bias', zeros]]));
    expect(numFlagged).toBe(0);
    expect(weights[0]!.remarks).toEqual(['all 3 values are zero']);
  });

  describe('a folded batch norm', () => {
    const conv = someValues([4, 3, 3]);
    const [gamma, beta, mean, convBias] = [2, 3, 4, 5].map((seed) => someValues([4], seed));
    const variance = { shape: [4], data: someValues([4], 6).data.map((value) => 1 + value * value) };
    const checkpoint = new Map<string, Tensor>([
      ['0.weight', conv], ['0.bias', convBias!], ['1.weight', gamma!], ['1.bias', beta!], ['1.running_mean', mean!], ['1.running_var', variance],
    ]);
    const factors = gamma!.data.map((value, row) => value / Math.sqrt(variance.data[row]! + 1e-5));
    const foldedBias = beta!.data.map((value, row) => value + (convBias!.data[row]! - mean!.data[row]!) * factors[row]!);
    const graph = (bias: Float32Array, names: readonly [string, string]) =>
      build({
        initializer: [weight(names[0], [4, 3, 3], Array.from(conv.data, (value, index) => value * factors[Math.floor(index / 9)]!)), weight(names[1], [4], Array.from(bias))],
        node: [node('Conv', ['x', ...names], ['y'])],
      });

    it.each([[['onnx::Conv_7', 'onnx::Conv_8']], [['0.weight', '0.bias']]] as const)('into %j', async (names) => {
      const report = await audit(graph(foldedBias, names), checkpoint);
      expect(report.numFlagged).toBe(0);
      const all = [...report.weights, ...report.checkpoint!.weights];
      for (const { remarks } of all) expect(remarks.join()).toContain(`the batch norm 1 is folded into ${names[0]}, with the values that follow from 0.weight`);
      expect(all.length).toBe(8);
    });

    it('but not one whose bias was left out', async () => {
      const report = await audit(graph(convBias!.data, ['onnx::Conv_7', '0.bias']), checkpoint);
      expect(flagsOf(report.weights)).toEqual({ 'onnx::Conv_7': ['unmatched'] });
      expect(report.weights[0]!.remarks[0]).toContain('its rows are multiples of those of 0.weight');
    });
  });
});

describe('a checkpoint', () => {
  const against = (model: ModelProto, name: string, bytes: Uint8Array) => {
    const file: NamedFile = { name, bytes };
    return auditWeights(model, 'm', file, () => undefined);
  };
  const w = someValues([6, 5]);

  it('as .npz, of float64 that float32 rounds, has the same weights', async () => {
    const wide = new Uint8Array(Float64Array.from(w.data, (value) => value * (1 + 1e-12)).buffer);
    const npz = zipSync({ 'w.npy': buildNpy([6, 5], wide, { descr: '<f8' }), 'steps.npy': buildNpy([1], new Uint8Array(8), { descr: '<i8' }) });
    const report = await against(holding(weightOf('w', w)), 'c.npz', npz);
    expect(report.numFlagged).toBe(0);
    expect(report.checkpoint?.weights).toMatchObject([{ name: 'w', dtype: '<f8', match: { name: 'w', how: 'name' } }]);
  });

  it('of float16 has the same weights, rounded, even with another name', async () => {
    const model = holding(weightOf('w', w));
    const half = new Uint8Array(Uint16Array.from(w.data, halfOf).buffer);
    for (const [name, how] of [['w', 'name'], ['other', 'bytes']] as const) {
      const header = { [name]: { dtype: 'F16', shape: [6, 5], data_offsets: [0, 60] } };
      const { weights, numFlagged } = await against(model, 'c.safetensors', buildSafetensors(header, half));
      expect(numFlagged).toBe(0);
      expect(weights).toMatchObject([{ match: { name, how }, remarks: [expect.stringContaining('rounded from or to F16')] }]);
    }
    // A value that differs by more than the rounding of half precision.
    half[1]! ^= 1;
    const header = { w: { dtype: 'F16', shape: [6, 5], data_offsets: [0, 60] } };
    expect((await against(model, 'c.safetensors', buildSafetensors(header, half))).weights[0]?.flags).toEqual(['values-differ']);
  });

  it('with offsets that overlap has misaligned tensors', async () => {
    const header = {
      w: { dtype: 'F32', shape: [6, 5], data_offsets: [0, 120] },
      b: { dtype: 'F32', shape: [4], data_offsets: [112, 128] },
    };
    const body = new Uint8Array(128).fill(1);
    body.set(new Uint8Array(w.data.buffer).subarray(0, 112));
    const report = await against(holding(weightOf('w', w)), 'c.safetensors', buildSafetensors(header, body));
    const entry = entryNamed(report.checkpoint?.weights, 'b');
    expect(entry.flags).toContain('misaligned');
    expect(entry.remarks[0]).toBe('shares 8 bytes with w');
  });

  it('of another kind is rejected', async () => {
    const pickle = zipSync({ 'archive/data.pkl': new Uint8Array(4) });
    for (const [name, bytes] of [['model.pt', pickle], ['weights.txt', new Uint8Array(9)]] as const) {
      const expected = { code: 'format', expected: 'a .safetensors, .npz or .gguf file' };
      await expect(against(holding(weightOf('w', w)), name, bytes)).rejects.toMatchObject(expected);
    }
  });

  it('with two swapped layers is detected by names that the exporter shortened', async () => {
    const layers = ['one', 'two', 'three', 'four', 'five'].map((layer, index) => [layer, someValues([6, 5], index + 2)] as const);
    const model = holding(...layers.map(([layer, tensor]) => weightOf(`${layer}.weight`, tensor)));
    const tensors = new Map(layers.map(([layer, tensor]) => [`net.${layer}.weight`, tensor]));
    tensors.set('net.one.weight', layers[1]![1]).set('net.two.weight', layers[0]![1]);
    const { weights } = await audit(model, tensors);
    expect(flagsOf(weights)).toEqual({ 'one.weight': ['values-differ'], 'two.weight': ['values-differ'] });
    expect(weights[0]!.remarks).toContain('its values are those of net.two.weight');
  });

  it('that contains the graph as one half is matched by bytes if names mislead', async () => {
    const [a, b] = [someValues([6, 5], 2), someValues([6, 5], 3)];
    // `encoder.` can be a wrapper prefix, so the names alone point to the encoder.
    const tensors = new Map([
      ['encoder.one.weight', a], ['encoder.two.weight', b], ['decoder.one.weight', w], ['decoder.two.weight', gatesOf(w, [1, 0])],
    ]);
    const { weights } = await audit(holding(weightOf('one.weight', w), weightOf('two.weight', gatesOf(w, [1, 0]))), tensors);
    expect(weights.map(({ match, flags }) => [match, flags])).toEqual([
      [{ name: 'decoder.one.weight', how: 'bytes' }, []],
      [{ name: 'decoder.two.weight', how: 'bytes' }, []],
    ]);
  });

  it("has a GRU's gates in PyTorch's order", async () => {
    const [ih, hh, biasIh, biasHh] = [someValues([6, 3], 5), someValues([6, 2], 6), someValues([6], 7), someValues([6], 8)];
    // ONNX has update, reset, hidden; PyTorch reset, update, hidden.
    const [w, r, b1, b2] = [ih, hh, biasIh, biasHh].map((tensor) => gatesOf(tensor, [1, 0, 2]).data);
    const model = build({
      initializer: [
        weight('W', [1, 6, 3], Array.from(w!)),
        weight('R', [1, 6, 2], Array.from(r!)),
        weight('B', [1, 12], [...b1!, ...b2!]),
      ],
      node: [node('GRU', ['x', 'W', 'R', 'B'], ['y'])],
    });
    const names = ['weight_ih', 'weight_hh', 'bias_ih', 'bias_hh'].map((role) => `gru.${role}_l0`);
    const report = await audit(model, new Map([ih, hh, biasIh, biasHh].map((tensor, index) => [names[index]!, tensor])));
    expect(report.weights.map(({ match }) => match?.name)).toEqual([names[0], names[1], `${names[2]!} + ${names[3]!}`]);
    for (const { flags, remarks } of report.weights) {
      expect(flags).toEqual([]);
      expect(remarks[0]).toContain("its rows in 3 blocks in the order 1, 0, 2, as ONNX needs PyTorch's gates");
    }
  });
});

/** Bits of the nearest half-precision number, for normal numbers. */
function halfOf(value: number): number {
  const exponent = Math.max(-14, Math.floor(Math.log2(Math.abs(value))));
  const mantissa = Math.round((Math.abs(value) / 2 ** exponent) * 1024);
  return (value < 0 ? 0x8000 : 0) + ((exponent + 14) << 10) + mantissa;
}
