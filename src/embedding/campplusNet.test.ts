/** CAM++ on both builds of the kernels, against PyTorch's goldens stage by stage, and against ONNX Runtime. */
import { readFileSync } from 'node:fs';
import * as ort from 'onnxruntime-web';
import { beforeAll, describe, expect, it } from 'vitest';
import campplus from '../../models/campplus-zh-en/manifest.json';
import { readBundle, tensorNamed } from '../compare/files/bundle';
import { noise } from '../../test/kernels/fixtures/goldens';
import { encodeOnnx, graphOf, parseOnnx, type ModelProto } from '../onnx/model';
import type { NodeProto } from '../onnx/onnx_pb';
import type { FloatTensor } from '../ort/graph';
import { parseManifest } from '../store/manifest';
import { VoxlaneError } from '../util/errors';
import { testedBuilds } from '../../test/nn/builds';
import { CampplusNet } from './campplusNet';

/**
 * Relative to a stage's maximum: float32 through sixty layers, with another summation order. ONNX Runtime deviates as
 * much.
 */
const STAGE_ROUNDING = 1e-5;
/**
 * Relative to an embedding's maximum. Noise deviates more than speech, and three frames deviate more than noise,
 * because the deviation is computed from only two rows.
 */
const EMBEDDING_ROUNDING = 5e-5;
const MIN_COSINE = 0.999999;

const manifest = parseManifest('embedding', campplus, 'campplus-zh-en');
const bytes = new Uint8Array(readFileSync('models/campplus-zh-en/model.onnx'));
const { numMelBins } = manifest.fbank;
const builds = testedBuilds();
/** Around one, two and three segments, and tiles of four, six and twelve; long, short and long again on one heap. */
const LENGTHS = [manifest.minFrames, 401, 21, 99, 100, 101, 199, 200, 201, 202, 203, 204, 3, 5];

/** Features in the value range of speech, with runs of similar frames. */
function featuresOf(numFrames: number): FloatTensor {
  const [fine, slow] = [noise(numFrames * numMelBins, numFrames), noise(numFrames + numMelBins, 7)];
  const data = fine.map((value, i) => 2 * value + 4 * slow[Math.floor(i / numMelBins / 16) + (i % numMelBins)]!);
  return { data, shape: [1, numFrames, numMelBins] };
}

async function openRuntime(model: Uint8Array): Promise<(input: FloatTensor) => Promise<Float32Array>> {
  const session = await ort.InferenceSession.create(model);
  return async ({ data, shape }) => {
    const results = await session.run({ [manifest.input.name]: new ort.Tensor(data, shape) });
    return results[manifest.output.name]!.data as Float32Array;
  };
}

/** The maximum difference, relative to the maximum value. */
function relativeDifference(actual: Float32Array, expected: Float32Array): number {
  expect(actual.length).toBe(expected.length);
  const scale = expected.reduce((greatest, value) => Math.max(greatest, Math.abs(value)), 0);
  // NaN is not larger than any number, but must not pass.
  const worst = expected.reduce((greatest, value, i) => {
    const difference = Math.abs(value - actual[i]!);
    return Number.isNaN(difference) ? Infinity : Math.max(greatest, difference);
  }, 0);
  return worst / scale;
}

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

/** By length. */
const fromRuntime = new Map<number, Float32Array>();

beforeAll(async () => {
  const run = await openRuntime(bytes);
  for (const numFrames of LENGTHS) fromRuntime.set(numFrames, await run(featuresOf(numFrames)));
}, 120_000);

describe.each(builds)('CAM++ on the %s kernels', (build) => {
  const net = CampplusNet.open(bytes, manifest, build);

  it('matches PyTorch in every stage', () => {
    const goldens = readBundle(readFileSync('public/goldens/campplus-zh-en.zip'));
    const values = new Map<string, FloatTensor>();
    const embedding = net.trace(tensorNamed(goldens.stages, 'fbank'), (name, value) => {
      values.set(name, value);
      return undefined;
    });
    values.set(manifest.output.name, embedding);
    const stages = manifest.stages.filter(({ value }) => value !== null);
    expect(stages.map(({ value }) => value)).toEqual([...values.keys()]);
    for (const { name, value } of stages) {
      const golden = tensorNamed(goldens.stages, name);
      const own = values.get(value!)!;
      expect(own.shape, name).toEqual(golden.shape);
      const difference = relativeDifference(own.data, golden.data);
      console.log(`${build}, ${name}: ${difference.toExponential(1)} of the greatest value`);
      expect(difference, name).toBeLessThanOrEqual(STAGE_ROUNDING);
    }
    const golden = tensorNamed(goldens.stages, 'embedding');
    expect(cosine(embedding.data, golden.data)).toBeGreaterThanOrEqual(MIN_COSINE);
  });

  it('matches ONNX Runtime for every length', () => {
    const differences = LENGTHS.map((numFrames) => {
      const { data, shape } = net.compute(featuresOf(numFrames));
      expect(shape).toEqual([1, manifest.embeddingSize]);
      return relativeDifference(data, fromRuntime.get(numFrames)!);
    });
    const worst = Math.max(...differences);
    const longest = LENGTHS[differences.indexOf(worst)]!;
    console.log(`${build}, against ONNX Runtime: ${worst.toExponential(1)} of the greatest value, of ${longest} frames`);
    expect(worst, `${longest} frames`).toBeLessThanOrEqual(EMBEDDING_ROUNDING);
  });

  it('returns the same bits again after other inputs, and its heap does not grow', () => {
    const [long, short] = [featuresOf(401), featuresOf(123)];
    const first = net.compute(short).data;
    const firstLong = net.compute(long).data;
    const { heapBytes } = net;
    expect(net.compute(short).data).toEqual(first);
    expect(net.compute(long).data).toEqual(firstLong);
    expect(net.heapBytes).toBe(heapBytes);
  });

  it('reports non-finite values, and works after them', async () => {
    const input = featuresOf(50);
    const expected = net.compute(input).data;
    const broken = { ...input, data: input.data.map((value, i) => (i === 70 * 30 ? NaN : value)) };
    await expect(net.run(broken)).rejects.toThrow(expect.objectContaining({ code: 'model-output' }) as VoxlaneError);
    expect((await net.run(input)).data).toEqual(expected);
  });
});

/** The model after `change`. */
function changed(change: (model: ModelProto) => void): Uint8Array {
  const model = parseOnnx(bytes, manifest.id);
  change(model);
  return encodeOnnx(model);
}

/** Changes every `from` in the Constant nodes to `to`. */
function changeConstants(model: ModelProto, from: number, to: number): number {
  let numChanged = 0;
  for (const { opType, attribute } of graphOf(model).node) {
    const tensor = opType === 'Constant' ? attribute[0]?.t : undefined;
    if (!tensor) continue;
    const { buffer, byteOffset, byteLength } = tensor.rawData.slice();
    const view = new DataView(buffer, byteOffset, byteLength);
    if (byteLength === 4 && view.getFloat32(0, true) === from) view.setFloat32(0, to, true);
    else if (byteLength === 8 && view.getBigInt64(0, true) === BigInt(from)) view.setBigInt64(0, BigInt(to), true);
    else continue;
    tensor.rawData = new Uint8Array(buffer);
    numChanged++;
  }
  return numChanged;
}

/** The `place`-th node of an operator. */
const nodeOf = (model: ModelProto, op: string, place = 0): NodeProto =>
  graphOf(model).node.filter(({ opType }) => opType === op)[place]!;

describe('reading the graph', () => {
  const [build] = builds;

  it('reads the segment length and the last ReLU from the file', async () => {
    const other = changed((model) => {
      expect(changeConstants(model, 100, 40)).toBe(2);
      const { node, output } = graphOf(model);
      // The embedding before the ReLU.
      const last = node.pop()!;
      node.at(-1)!.output = [output[0]!.name];
      expect(last.opType).toBe('Relu');
    });
    const input = featuresOf(301);
    const { data } = CampplusNet.open(other, manifest, build).compute(input);
    expect(data.some((value) => value < 0)).toBe(true);
    expect(relativeDifference(data, await (await openRuntime(other))(input))).toBeLessThanOrEqual(EMBEDDING_ROUNDING);
  });

  const others: [string, (model: ModelProto) => void, RegExp][] = [
    ['another activation', (model) => (nodeOf(model, 'Sigmoid').opType = 'Tanh'), /Tanh/],
    ['segments of two lengths', (model) => (nodeOf(model, 'Slice').input.pop()), /Slice/],
    ['a biased deviation', (model) => (nodeOf(model, 'Sub', 1).input[1] = '/Constant_1_output_0'), /Sub\(n, 0\)/],
    ['a mean over channels', (model) => (nodeOf(model, 'ReduceMean').attribute[0]!.ints = [1n]), /axes=\[1\]/],
    ['groups of channels', (model) => (nodeOf(model, 'Conv').attribute.find(({ name }) => name === 'group')!.i = 2n), /groups/],
    ['another network', (model) => graphOf(model).node.splice(0, 60), /comes from|no tensor/],
  ];
  it.each(others)('reports %s', (_name, change, found) => {
    const open = (): CampplusNet => CampplusNet.open(changed(change), manifest, build);
    expect(open).toThrow(VoxlaneError);
    expect(open).toThrow(expect.objectContaining({ code: 'model-invalid', problem: expect.stringMatching(found) as string }) as VoxlaneError);
  });
});
