/** segmentation-3.0 on both builds of the kernels, against PyTorch's goldens stage by stage, and against ONNX Runtime. */
import { readFileSync } from 'node:fs';
import * as ort from 'onnxruntime-web';
import { beforeAll, describe, expect, it } from 'vitest';
import facts from '../../models/segmentation-3.0/manifest.json';
import { readBundle } from '../compare/files/bundle';
import { noise } from '../../test/kernels/fixtures/goldens';
import { encodeOnnx, graphOf, parseOnnx, type ModelProto } from '../onnx/model';
import type { NodeProto } from '../onnx/onnx_pb';
import type { FloatTensor } from '../ort/graph';
import { parseManifest } from '../store/manifest';
import { VoxlaneError } from '../util/errors';
import { testedBuilds } from '../../test/nn/builds';
import { PyannetNet } from './pyannetNet';

const manifest = parseManifest('segmentation', facts, 'segmentation-3.0');
const bytes = new Uint8Array(readFileSync('models/segmentation-3.0/model.onnx'));
const builds = testedBuilds();
const NUM_CLASSES = manifest.powerset.mapping.length;

/** For values up to 7: float32 through four recurrent layers, with another summation order. */
const STAGE_ROUNDING = 1e-4;
/** For probabilities, with the rounding of two runtimes. */
const SOUND_ROUNDING = 1e-4;
/** If the graph feeds zeros to every norm, all runtimes return the exact result: see export.py. */
const SILENCE_ROUNDING = 2e-6;

/** The sample recording; canonical 16-bit mono at 16 kHz. */
function readSample(): Float32Array {
  const file = readFileSync('public/sample.wav');
  const start = file.indexOf('data') + 8;
  return Float32Array.from({ length: (file.length - start) / 2 }, (_, i) => file.readInt16LE(start + 2 * i) / 32768);
}

const speech = readSample();

/** Windows of one length. */
function batchOf(...windows: Float32Array[]): FloatTensor {
  const length = windows[0]!.length;
  const data = new Float32Array(windows.length * length);
  for (const [index, window] of windows.entries()) data.set(window, index * length);
  return { data, shape: [windows.length, 1, length] };
}

const speechFrom = (first: number, length: number = manifest.windowSamples): Float32Array => speech.slice(first, first + length);

/** Speech followed only by zeros, as at the end of a recording. */
function padded(length: number): Float32Array {
  const window = new Float32Array(length);
  window.set(speech.subarray(0, Math.floor(length / 3)));
  return window;
}

function click(length: number): Float32Array {
  const window = new Float32Array(length);
  window[Math.floor(length / 2)] = 1;
  return window;
}

interface Case {
  readonly name: string;
  readonly input: FloatTensor;
  readonly rounding: number;
}

const CASES: readonly Case[] = [
  { name: 'one window of speech', input: batchOf(speechFrom(0)), rounding: SOUND_ROUNDING },
  {
    name: 'three windows of an odd length',
    input: batchOf(speechFrom(9, 40_003), speechFrom(99_999, 40_003), padded(40_003)),
    rounding: SOUND_ROUNDING,
  },
  {
    name: 'four windows',
    input: batchOf(speechFrom(160_000, 32_000), speechFrom(240_001, 32_000), padded(32_000), speechFrom(99, 32_000)),
    rounding: SOUND_ROUNDING,
  },
  { name: 'digital silence', input: batchOf(new Float32Array(32_000)), rounding: SILENCE_ROUNDING },
  { name: 'a constant', input: batchOf(new Float32Array(32_000).fill(0.3)), rounding: SILENCE_ROUNDING },
  {
    name: 'loud and faint noise',
    input: batchOf(noise(32_000, 1), noise(32_000, 2).map((value) => value / 1000)),
    rounding: SOUND_ROUNDING,
  },
  { name: 'a click', input: batchOf(click(32_000)), rounding: SOUND_ROUNDING },
  { name: 'speech on a level', input: batchOf(speechFrom(80_000, 32_002).map((value) => value + 0.5)), rounding: SOUND_ROUNDING },
  { name: 'the minimum number of samples', input: batchOf(speechFrom(50_000, 991)), rounding: SOUND_ROUNDING },
];

async function openRuntime(model: Uint8Array): Promise<(input: FloatTensor) => Promise<Float32Array>> {
  const session = await ort.InferenceSession.create(model);
  return async ({ data, shape }) => {
    const results = await session.run({ [manifest.input.name]: new ort.Tensor(data, shape) });
    return results[manifest.output.name]!.data as Float32Array;
  };
}

function greatestDifference(actual: ArrayLike<number>, expected: Float32Array, value = (x: number): number => x): number {
  expect(actual.length).toBe(expected.length);
  // NaN is not larger than any number, but must not pass.
  return expected.reduce((greatest, own, i) => {
    const difference = Math.abs(value(own) - value(actual[i]!));
    return Number.isNaN(difference) ? Infinity : Math.max(greatest, difference);
  }, 0);
}

/** The first maximum of each frame. */
function classes(scores: Float32Array): number[] {
  return Array.from({ length: scores.length / NUM_CLASSES }, (_, frame) => {
    const row = scores.subarray(frame * NUM_CLASSES, (frame + 1) * NUM_CLASSES);
    return row.indexOf(Math.max(...row));
  });
}

/** By name. */
const fromRuntime = new Map<string, Float32Array>();

beforeAll(async () => {
  const run = await openRuntime(bytes);
  for (const { name, input } of CASES) fromRuntime.set(name, await run(input));
}, 120_000);

describe.each(builds)('segmentation-3.0 on the %s kernels', (build) => {
  const net = PyannetNet.open(bytes, manifest, build);

  it('matches PyTorch in every stage, and its class in every frame', () => {
    const goldens = readBundle(readFileSync('public/goldens/segmentation-3.0.zip'));
    const values = new Map<string, FloatTensor>();
    const scores = net.trace(goldens.inputs[0]!, (name, value) => {
      values.set(name, value);
      return undefined;
    });
    values.set(manifest.output.name, scores);
    expect(manifest.stages.map(({ value }) => value)).toEqual([...values.keys()]);
    for (const { name, value } of manifest.stages) {
      const golden = goldens.stages.find((stage) => stage.name === name)!;
      const own = values.get(value!)!;
      expect(own.shape, name).toEqual(golden.shape);
      const difference = greatestDifference(own.data, golden.data);
      console.log(`${build}, ${name}: ${difference.toExponential(1)} from PyTorch`);
      expect(difference, name).toBeLessThanOrEqual(STAGE_ROUNDING);
    }
    expect(classes(scores.data)).toEqual(classes(goldens.stages.at(-1)!.data));
  });

  it.each(CASES)("matches ONNX Runtime's probabilities for $name", ({ name, input, rounding }) => {
    const scores = net.compute(input);
    expect(scores.shape[0]).toBe(input.shape[0]);
    const difference = greatestDifference(scores.data, fromRuntime.get(name)!, Math.exp);
    console.log(`${build}, ${name}: ${difference.toExponential(1)} from ONNX Runtime`);
    expect(difference).toBeLessThanOrEqual(rounding);
  });

  it('returns the same bits for a window alone and in any batch, and its heap does not grow', () => {
    const length = 32_000;
    const windows = [speechFrom(0, length), noise(length, 3), new Float32Array(length), speechFrom(70_000, length), padded(length)];
    const alone = windows.map((window) => net.compute(batchOf(window)).data);
    net.compute(batchOf(...windows, ...windows));
    const { heapBytes } = net;
    for (const numWindows of [5, 4, 3, 2]) {
      const { data } = net.compute(batchOf(...windows.slice(0, numWindows)));
      expect(data).toEqual(Float32Array.from(alone.slice(0, numWindows).flatMap((scores) => [...scores])));
    }
    expect(net.heapBytes).toBe(heapBytes);
  });

  it('reports non-finite values, and works after them', async () => {
    const input = batchOf(speechFrom(0, 32_000), speechFrom(32_000, 32_000));
    const expected = net.compute(input).data;
    const broken = { ...input, data: input.data.map((value, i) => (i === 40_000 ? NaN : value)) };
    await expect(net.run(broken)).rejects.toThrow(expect.objectContaining({ code: 'model-output' }) as VoxlaneError);
    expect((await net.run(input)).data).toEqual(expected);
  });
});

/** The model after `change`. */
function changed(change: (model: ModelProto) => unknown): Uint8Array {
  const model = parseOnnx(bytes, manifest.id);
  change(model);
  return encodeOnnx(model);
}

/** The `place`-th node of an operator. */
const nodeOf = (model: ModelProto, op: string, place = 0): NodeProto =>
  graphOf(model).node.filter(({ opType }) => opType === op)[place]!;

const attributeOf = (model: ModelProto, op: string, name: string, place = 0): NodeProto['attribute'][number] =>
  nodeOf(model, op, place).attribute.find((attribute) => attribute.name === name)!;

/** Changes one weight. */
function setWeight(model: ModelProto, name: string, index: number, value: number): void {
  const tensor = graphOf(model).initializer.find((held) => held.name === name)!;
  const raw = tensor.rawData.slice();
  new DataView(raw.buffer).setFloat32(4 * index, value, true);
  tensor.rawData = raw;
}

describe('reading the graph', () => {
  const [build] = builds;

  it('reads slopes, epsilons and the use of magnitudes from the file', async () => {
    const other = changed((model) => {
      attributeOf(model, 'LeakyRelu', 'alpha', 1).f = 0.2;
      attributeOf(model, 'LeakyRelu', 'alpha', 3).f = 0.5;
      attributeOf(model, 'InstanceNormalization', 'epsilon', 1).f = 0.01;
      const magnitude = nodeOf(model, 'Abs');
      nodeOf(model, 'MaxPool').input = [...magnitude.input];
      graphOf(model).node.splice(graphOf(model).node.indexOf(magnitude), 1);
    });
    const input = batchOf(speechFrom(70_000, 32_000), speechFrom(7_000, 32_000));
    const { data } = PyannetNet.open(other, manifest, build).compute(input);
    const expected = await (await openRuntime(other))(input);
    expect(greatestDifference(data, expected, Math.exp)).toBeLessThanOrEqual(SOUND_ROUNDING);
    expect(greatestDifference(PyannetNet.open(bytes, manifest, build).compute(input).data, expected, Math.exp)).toBeGreaterThan(0.01);
  });

  const others: [string, (model: ModelProto) => unknown, RegExp][] = [
    ['another activation', (model) => (nodeOf(model, 'LeakyRelu', 4).opType = 'Relu'), /comes from Relu/],
    ['filters without symmetry', (model) => { setWeight(model, 'conv1d.0.weight', 251 * 9, 0.5); }, /filter 9 has no symmetry/],
    ['an LSTM of one direction', (model) => {
      attributeOf(model, 'LSTM', 'direction').s = new TextEncoder().encode('reverse');
    }, /not a plain bidirectional LSTM/],
    ['an LSTM that clips', (model) => {
      const { attribute } = nodeOf(model, 'LSTM', 2);
      attribute.push({ ...attribute.find(({ name }) => name === 'hidden_size')!, name: 'input_forget' });
    }, /not a plain bidirectional LSTM/],
    ['a maximum of frames that overlap', (model) => (attributeOf(model, 'MaxPool', 'strides', 1).ints = [2n]), /not a maximum/],
    ['a norm of all but the last frame', (model) => (nodeOf(model, 'Slice', 1).input[1] = '/Constant_6_output_0'), /Slice\(x, 1, 1/],
    ['softmax over frames', (model) => (attributeOf(model, 'ReduceMax', 'axes').ints = [1n]), /axes=\[1\]/],
    ['padding', (model) => (attributeOf(model, 'Conv', 'pads', 1).ints = [2n, 2n]), /padding/],
    ['another order of axes', (model) => (attributeOf(model, 'Transpose', 'perm', 2).ints = [0n, 1n, 2n, 3n]), /perm=\[0, 1, 2, 3\]/],
    ['another network', (model) => graphOf(model).node.splice(0, 12), /comes from|no tensor|does not come|not a numeric tensor/],
  ];
  it.each(others)('reports %s', (_name, change, found) => {
    const open = (): PyannetNet => PyannetNet.open(changed(change), manifest, build);
    expect(open).toThrow(VoxlaneError);
    const problem = expect.stringMatching(found) as string;
    expect(open).toThrow(expect.objectContaining({ code: 'model-invalid', problem }) as VoxlaneError);
    expect(open).toThrow(/segmentation-3\.0/);
  });
});
