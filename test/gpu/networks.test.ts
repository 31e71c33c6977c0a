/**
 * All networks on our own WGSL kernels, on Dawn in Node, with inputs as small as possible: a software adapter is slow.
 * test/full/gpuNetworks.test.ts and nemotronKernels.test.ts have batches, goldens and counts.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import type { TracedNetwork } from '../../src/compare/kernelRunner';
import { CampplusNet } from '../../src/embedding/campplusNet';
import { GpuCampplus } from '../../src/embedding/gpuCampplus';
import { maskedFeatures } from '../../src/embedding/mask';
import { uploadBuffer } from '../../src/gpu/buffers';
import { type GpuContext, openGpu } from '../../src/gpu/context';
import { tensorValues } from '../../src/onnx/tensors';
import { GpuPyannet } from '../../src/segmentation/gpuPyannet';
import { PyannetNet } from '../../src/segmentation/pyannetNet';
import { GpuNetwork, type GpuNetworkOptions } from '../../src/sortformer/gpuNetwork';
import { GraphNetwork, sizeOfLastAxis } from '../../src/sortformer/graphNetwork';
import type { FloatTensor } from '../../src/ort/graph';
import { parseManifest } from '../../src/store/manifest';
import { installGpuMeter } from '../browser/gpuMeter';
import { shareOf } from '../kernels/errorShare';
import { noise } from '../kernels/fixtures/goldens';
import { valuesOf } from '../kernels/networkStages';
import { testedBuilds } from '../nn/builds';
import { openOnWasm, seededFeatures, seededParts } from '../sortformerNetworkTests';
import { installDawn } from './dawn';
import { bytesOf, manifestOf, MAX_SHARE } from './shippedNetworks';
import { describeUnless } from '../skips';

const missing = await installDawn();

/** Replaces every value of a trace on both backends, and compares what they compute from the replaced values. */
async function compareReplaced(gpu: TracedNetwork, wasm: TracedNetwork, input: FloatTensor): Promise<void> {
  const replaced = ({ data, shape }: FloatTensor): FloatTensor => ({ data: data.map((value, i) => 0.8 * value + 0.1 * Math.sin(i)), shape });
  const plain = await valuesOf(gpu, input);
  const expected = await valuesOf(wasm, input, replaced);
  const actual = await valuesOf(gpu, input, replaced);
  expect([...actual.keys()]).toEqual(gpu.valueNames);
  expect([...expected.keys()]).toEqual(gpu.valueNames);
  for (const [index, [name, value]] of [...actual].entries()) {
    expect(shareOf(value, expected.get(name)!), name).toBeLessThanOrEqual(MAX_SHARE);
    // The first value does not depend on a replaced one.
    if (index > 0) expect(shareOf(value, plain.get(name)!), name).toBeGreaterThan(10 * MAX_SHARE);
  }
}

describeUnless(missing)('networks on WGSL kernels', () => {
  let gpu: GpuContext;
  beforeAll(async () => {
    gpu = await openGpu();
  });

  describe('segmentation-3.0', () => {
    const manifest = parseManifest('segmentation', manifestOf('segmentation-3.0'), 'segmentation-3.0');
    const bytes = bytesOf('segmentation-3.0');
    let net: GpuPyannet;
    beforeAll(async () => {
      net = await GpuPyannet.open(gpu, bytes, manifest);
    });

    test('returns exact values for silence and for a constant', async () => {
      const wasm = PyannetNet.open(bytes, manifest, testedBuilds()[0]);
      const data = Float32Array.from({ length: 8000 }, (_, i) => (i < 4000 ? 0 : 0.3));
      const scores = (await net.run({ data, shape: [2, 1, 4000] })).data;
      const half = scores.length / 2;
      expect(scores.subarray(half)).toEqual(scores.subarray(0, half));
      const expected = wasm.compute({ data: data.subarray(0, 4000), shape: [1, 1, 4000] });
      expect(shareOf({ data: scores.subarray(0, half), shape: expected.shape }, expected)).toBeLessThanOrEqual(MAX_SHARE);
    });

    test('continues a trace with replaced values, like WASM', async () => {
      await compareReplaced(net, PyannetNet.open(bytes, manifest, testedBuilds()[0]), { data: noise(2000, 3), shape: [2, 1, 1000] });
    });

    test('reports other inputs, and wrong values', async () => {
      await expect(net.run({ data: new Float32Array(10), shape: [1, 2, 5] })).rejects.toMatchObject({ code: 'backend-failed', problem: expect.stringContaining('1 × 2 × 5') as string });
      const data = noise(1000, 3);
      data[500] = NaN;
      await expect(net.run({ data, shape: [1, 1, 1000] })).rejects.toMatchObject({ code: 'gpu-wrong' });
    });
  });

  describe('CAM++', () => {
    const manifest = parseManifest('embedding', manifestOf('campplus-zh-en'), 'campplus-zh-en');
    const bytes = bytesOf('campplus-zh-en');
    const { numMelBins, subtractMean } = manifest.fbank;
    let net: GpuCampplus;
    beforeAll(async () => {
      net = await GpuCampplus.open(gpu, bytes, manifest);
    });

    test('needs no dispatch without speakers', async () => {
      const meter = installGpuMeter();
      const buffer = uploadBuffer(gpu.device, 'features of the test', new Float32Array(numMelBins));
      expect(await net.embed({ buffer, numFrames: 1 }, [], { subtractMean })).toHaveLength(0);
      expect(meter.take().other?.dispatches ?? 0).toBe(0);
      buffer.destroy();
    });

    test('continues a trace with replaced values, like WASM', async () => {
      const numFrames = 24;
      const input = { data: noise(numFrames * numMelBins, 7), shape: [1, numFrames, numMelBins] };
      await compareReplaced(net, CampplusNet.open(bytes, manifest, testedBuilds()[0]), input);
    });

    test('matches WASM for the frames of one speaker', async () => {
      const numFrames = 24;
      const features = noise(numFrames * numMelBins, 5).map((value, i) => 2 * value + 3 * Math.sin(i / 700));
      // Every third frame belongs to someone else.
      const mask = Uint8Array.from({ length: numFrames }, (_, frame) => Number(frame % 3 !== 1));
      const buffer = uploadBuffer(gpu.device, 'features of the test', features);
      const used = Uint32Array.from(mask.keys()).filter((frame) => mask[frame] === 1);
      const data = await net.embed({ buffer, numFrames }, [{ window: 0, used }], { subtractMean });
      buffer.destroy();
      const input = maskedFeatures({ data: features, numFrames, numMelBins }, mask, subtractMean);
      const expected = CampplusNet.open(bytes, manifest, testedBuilds()[0]).compute({ data: input, shape: [1, input.length / numMelBins, numMelBins] });
      expect(shareOf({ data, shape: expected.shape }, expected)).toBeLessThanOrEqual(MAX_SHARE);
    });
  });

  describe('Nemotron 3 Diarization with one layer', () => {
    const [numFrames, numValidFrames] = [12, 11];
    let parts: Awaited<ReturnType<typeof seededParts>>;
    beforeAll(async () => {
      parts = await seededParts(1);
    });

    test('matches ONNX Runtime on WASM in a layer, the head and the logits, with padding', async () => {
      const melFrames = seededFeatures().slice(0, numFrames * 8 * sizeOfLastAxis(parts.manifest.tensors.features));
      const taps = ['layer1', 'head'];
      const [found, expected] = [new Map<string, FloatTensor>(), new Map<string, FloatTensor>()];
      const keep = (values: Map<string, FloatTensor>): Pick<GpuNetworkOptions, 'taps' | 'onValues'> => ({
        taps,
        onValues: (tapped) => { for (const [name, { data, shape }] of tapped) values.set(name, { data, shape: shape.filter((size) => size !== 1) }); },
      });
      const wasm = await GraphNetwork.open({ ...parts, ...keep(expected), open: openOnWasm });
      const network = await GpuNetwork.open(gpu, { ...parts, ...keep(found) });
      expect(network.silence).toEqual(wasm.silence);
      const embeddings = await wasm.embed(melFrames);
      const shape = [embeddings.length];
      expect(shareOf({ data: await network.embed(melFrames), shape }, { data: embeddings, shape })).toBeLessThanOrEqual(MAX_SHARE);
      const step = { embeddings, numFrames, numValidFrames, firstScoredFrame: 0 };
      expected.set('logits', { data: await wasm.logits(step), shape: [numFrames * 8 * 8] });
      const logits = await network.logits(step);
      found.set('logits', { data: logits, shape: [logits.length] });
      expect([...found.keys()].toSorted()).toEqual(['head', 'layer1', 'logits']);
      for (const [name, value] of found) expect(shareOf(value, expected.get(name)!), name).toBeLessThanOrEqual(MAX_SHARE);
      // Without taps, only scored frames are computed and read back.
      taps.length = 0;
      expect(await network.logits({ ...step, firstScoredFrame: 10 })).toEqual(logits.subarray(10 * 8 * 8));
      // Padding, which no frame attends to, must not hide an error.
      const broken = embeddings.slice().fill(Infinity, (numFrames - 1) * network.silence.length);
      await expect(network.logits({ ...step, embeddings: broken })).rejects.toMatchObject({ code: 'gpu-wrong' });
      expect(await network.logits(step)).toEqual(logits);
      await Promise.all([network.release(), wasm.release()]);
    });

    test('rejects graphs and weights that the kernels do not support', async () => {
      const open = (changes: Partial<GpuNetworkOptions>): Promise<unknown> => Promise.resolve().then(() => GpuNetwork.open(gpu, { ...parts, ...changes }));
      const bias = 'model.proj.bias';
      const lacking = new Map(parts.weights);
      lacking.delete(bias);
      const cut = new Map(parts.weights).set(bias, new Uint8Array(4));
      for (const weights of [lacking, cut]) {
        await expect(open({ weights })).rejects.toMatchObject({ code: 'model-invalid', problem: expect.stringContaining(bias) as string });
      }
      // The same channels in heads of half the size.
      const { graph } = parts.model;
      const initializer = graph!.initializer.map((tensor) => (tensor.name === 'attention.heads' ? { ...tensor, int64Data: [], rawData: new Uint8Array(BigInt64Array.of(-1n, 16n, 32n).buffer) } : tensor));
      expect([...tensorValues(graph!.initializer.find(({ name }) => name === 'attention.heads')!)!]).toEqual([-1, 8, 64]);
      await expect(open({ model: { ...parts.model, graph: { ...graph!, initializer } } })).rejects.toMatchObject({ code: 'model-invalid', problem: expect.stringContaining('16 heads of 32 channels') as string });
      const unnamed = { ...graph!, initializer: graph!.initializer.filter(({ name }) => name !== bias) };
      await expect(open({ model: { ...parts.model, graph: unnamed } })).rejects.toMatchObject({ code: 'model-invalid', problem: expect.stringContaining(`no weights named ${bias}`) as string });
      await expect(open({ manifest: { ...parts.manifest, maxEncoderFrames: 1e6 } })).rejects.toMatchObject({ problem: expect.stringContaining('fewer than 1000000 positions') as string });
    });
  });
});
