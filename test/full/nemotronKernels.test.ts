/** The network of Nemotron 3 Diarization on our own WGSL kernels, on Dawn in Node. */
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type GpuContext, openGpu } from '../../src/gpu/context';
import { cosineDistance } from '../../src/clustering/linearAlgebra';
import { GpuNetwork } from '../../src/sortformer/gpuNetwork';
import type { GraphNetworkOptions, Weights } from '../../src/sortformer/graphNetwork';
import type { StepInput } from '../../src/sortformer/network';
import { checkNetwork, type OpenedNetwork } from '../../src/sortformer/networkCheck';
import { graphInForm } from '../../src/weights/graphForm';
import { installGpuMeter } from '../browser/gpuMeter';
import { installDawn } from '../gpu/dawn';
import { noise } from '../kernels/fixtures/goldens';
import { NEMOTRON, nemotronGraph } from '../seededNemotron';
import { sortformerNetworkTests, openSeeded, seededFeatures, seededParts } from '../sortformerNetworkTests';
import { describeUnless } from '../skips';

const missing = await installDawn();

const NUM_LAYERS = 4;
/** The limit of the issue for one chunk, with all layers. */
const MAX_DISPATCHES = 450;

let gpu: GpuContext;

describeUnless(missing)('on our own kernels', { timeout: 600_000 }, () => {
  beforeAll(async () => {
    gpu = await openGpu();
  });

  sortformerNetworkTests(NUM_LAYERS, async (numLayers, options) => GpuNetwork.open(gpu, { ...(await seededParts(numLayers)), ...options }));

  describe('with float16 weights', () => {
    it('passes the self-check', async () => {
      const check = await checkNetwork(nemotronGraph(), NEMOTRON, {
        form: 'float16',
        backend: 'webgpu',
        open: (part, weights) => GpuNetwork.open(gpu, { model: graphInForm(part, 'float16'), weights, manifest: NEMOTRON }),
      });
      const shares = check.stages.map(({ stage, maxAbs, cosine, tolerance }) => `${stage}: ${(maxAbs / tolerance.maxAbs).toFixed(3)} of the bound, cosine ${((1 - cosine) / (1 - tolerance.cosine)).toFixed(3)}`);
      console.log(`the self-check of float16, ${shares.join('; ')}`);
      expect(check.stages.map(({ stage, passed }) => [stage, passed])).toEqual([['stacked', true], ['logits', true]]);
    });

    it('matches ONNX Runtime with the same weights in every stage', async () => {
      const parts = await seededParts(NUM_LAYERS, 'float16');
      const taps = ['layer1', 'layer2', 'layer3', 'layer4', 'head'];
      const run = async (open: (options: Pick<GraphNetworkOptions, 'taps' | 'onValues'>) => Promise<OpenedNetwork>): Promise<Map<string, Float32Array>> => {
        const values = new Map<string, Float32Array>();
        const network = await open({ taps, onValues: (tapped) => { for (const [name, { data }] of tapped) values.set(name, data.slice()); } });
        const embeddings = await network.embed(seededFeatures());
        values.set('stacked', embeddings);
        values.set('logits', await network.logits({ embeddings, numFrames: embeddings.length / 512, numValidFrames: 60, firstScoredFrame: 0 }));
        await network.release();
        return values;
      };
      const actual = await run((options) => GpuNetwork.open(gpu, { ...parts, ...options }));
      const expected = await run((options) => openSeeded(NUM_LAYERS, { form: 'float16', ...options }));
      expect(actual.size).toBe(taps.length + 2);
      for (const [name, values] of actual) {
        const own = expected.get(name)!;
        expect(values.length, name).toBe(own.length);
        expect(1 - cosineDistance(values, own), name).toBeGreaterThanOrEqual(0.99999);
        const spread = Math.max(...own) - Math.min(...own);
        // The bound of the issue for float32 networks, because products and sums are float32 on both sides.
        expect(Math.max(...values.map((value, i) => Math.abs(value - own[i]!))) / spread, name).toBeLessThanOrEqual(1e-3);
      }
    });

    it('has weights of half the bytes on the GPU', async () => {
      const bytesOf = async (form: 'float32' | 'float16'): Promise<number> => {
        const created = vi.spyOn(GPUDevice.prototype, 'createBuffer');
        const network = await GpuNetwork.open(gpu, await seededParts(1, form));
        const sizes = created.mock.calls.map(([{ label, size }]) => (label === 'diarization weights' ? size : 0));
        created.mockRestore();
        await network.release();
        return sizes.reduce((sum, size) => sum + size, 0);
      };
      const [full, half] = [await bytesOf('float32'), await bytesOf('float16')];
      console.log(`one layer: ${full} bytes of weights as float32, ${half} as float16`);
      // Vectors and the tables of the rotary embedding stay float32.
      expect(half / full).toBeGreaterThan(0.5);
      expect(half / full).toBeLessThan(0.53);
    });
  });

  // With one layer, which takes less time.
  describe('without taps', () => {
    let parts: Awaited<ReturnType<typeof seededParts>>;
    let network: GpuNetwork;
    let embeddings: Float32Array;
    beforeAll(async () => {
      parts = await seededParts(1);
      network = await GpuNetwork.open(gpu, parts);
      embeddings = await network.embed(seededFeatures());
    }, 600_000);

    afterEach(() => {
      vi.restoreAllMocks();
    });

    /** A step with the first `numFrames` seeded frames. */
    const step = (numFrames: number, changes: Partial<StepInput> = {}): StepInput => ({
      embeddings: embeddings.subarray(0, numFrames * network.silence.length),
      numFrames,
      numValidFrames: numFrames,
      firstScoredFrame: 0,
      ...changes,
    });

    it('submits once and reads only logits back, allocates nothing for later steps, and returns the same bits again', async () => {
      const input = step(64, { numValidFrames: 60 });
      const first = await network.logits(input);
      const meter = installGpuMeter();
      const buffers = vi.spyOn(GPUDevice.prototype, 'createBuffer');
      const groups = vi.spyOn(GPUDevice.prototype, 'createBindGroup');
      // Shorter steps leave values of longer ones in the buffers.
      const alone = await network.logits(step(13));
      expect(await network.logits(input)).toEqual(first);
      expect(await network.logits(step(13))).toEqual(alone);
      meter.take();
      const later = await network.logits({ ...input, firstScoredFrame: 10 });
      const { dispatches, submits, bytesBack } = meter.take().other!;
      expect(later).toEqual(first.subarray(10 * 8 * 8));
      expect([dispatches, submits, bytesBack]).toEqual([11 + 8, 1, later.byteLength]);
      expect(buffers).not.toHaveBeenCalled();
      expect(groups).not.toHaveBeenCalled();
      expect(await network.embed(seededFeatures())).toEqual(embeddings);
      expect(buffers).not.toHaveBeenCalled();
    });

    it('matches ONNX Runtime on WASM for one frame, and for more frames than a tile of every kernel', async () => {
      const wasm = await openSeeded(1);
      const long = { ...step(0), embeddings: noise(101 * 512, 3), numFrames: 101, numValidFrames: 99, firstScoredFrame: 90 };
      for (const input of [step(1), long]) {
        const [actual, expected] = [await network.logits(input), await wasm.logits(input)];
        expect(actual).toHaveLength(expected.length);
        const spread = Math.max(...expected) - Math.min(...expected);
        const worst = Math.max(...actual.map((value, i) => Math.abs(value - expected[i]!)));
        // The bound of the issue.
        expect(worst / spread).toBeLessThanOrEqual(1e-3);
      }
      await wasm.release();
    });

    it('rejects broken values inside and more frames than positions, and then computes the same', async () => {
      const expected = await network.logits(step(13));
      const broken = embeddings.slice(0, 13 * 512);
      // A valid frame breaks all others.
      broken[5 * 512 + 3] = NaN;
      await expect(network.logits(step(13, { embeddings: broken, firstScoredFrame: 12 }))).rejects.toMatchObject({ code: 'gpu-wrong' });
      const numFrames = NEMOTRON.maxEncoderFrames + 1;
      await expect(network.logits({ ...step(1), numFrames })).rejects.toMatchObject({ code: 'options' });
      expect(await network.logits(step(13))).toEqual(expected);
    });

    it('reports a frame of padding that is broken, which no other frame attends to', async () => {
      const broken = embeddings.slice(0, 13 * 512).fill(Infinity, 12 * 512);
      await expect(network.logits(step(13, { embeddings: broken, numValidFrames: 12 }))).rejects.toMatchObject({ code: 'gpu-wrong' });
    });

    it('reports exhausted memory, and recovers', async () => {
      const expected = await network.logits(step(13));
      await network.release();
      network = await GpuNetwork.open(gpu, parts);
      // eslint-disable-next-line @typescript-eslint/unbound-method -- called with the receiver of the patched method
      const { createBuffer } = GPUDevice.prototype;
      const failing = vi.spyOn(GPUDevice.prototype, 'createBuffer').mockImplementation(function (this: GPUDevice, descriptor) {
        if (descriptor.label === 'diarization units') this.dispatchEvent(new GPUUncapturedErrorEvent('uncapturederror', { error: new GPUOutOfMemoryError('no memory') }));
        return createBuffer.call(this, descriptor);
      });
      await expect(network.logits(step(13))).rejects.toMatchObject({ code: 'gpu-memory' });
      failing.mockRestore();
      expect(await network.logits(step(13))).toEqual(expected);
    });

    it('reports a lost device', async () => {
      const other = await openGpu();
      const lost = await GpuNetwork.open(other, parts);
      const work = lost.logits(step(13));
      other.device.destroy();
      await expect(work).rejects.toMatchObject({ code: 'gpu-lost' });
      await expect(lost.logits(step(13))).rejects.toMatchObject({ code: 'gpu-lost' });
      await network.release();
    });
  });

  it('rejects weights that are missing or of another size', async () => {
    const parts = await seededParts(1);
    const lacking = new Map(parts.weights);
    lacking.delete('model.proj.bias');
    const open = (weights: Weights): Promise<unknown> => Promise.resolve().then(() => GpuNetwork.open(gpu, { ...parts, weights }));
    await expect(open(lacking)).rejects.toMatchObject({ code: 'model-invalid', problem: expect.stringContaining('model.proj.bias') as string });
    const cut = new Map(parts.weights).set('model.proj.bias', new Uint8Array(4));
    await expect(open(cut)).rejects.toMatchObject({ code: 'model-invalid', problem: expect.stringContaining('model.proj.bias') as string });
  });

  it('stays within the limit of dispatches with all layers', async () => {
    const { weights } = await seededParts(1);
    // Each layer has the weights of the first. Nothing is executed, because the number of dispatches does not depend on values.
    const all = new Map(weights);
    for (const [name, values] of weights) {
      for (let layer = 1; layer < NEMOTRON.numLayers; layer++) {
        if (name.includes('.layers.0.')) all.set(name.replace('.layers.0.', `.layers.${layer}.`), values);
      }
    }
    const network = await GpuNetwork.open(gpu, { model: nemotronGraph(), weights: all, manifest: NEMOTRON });
    vi.spyOn(GPUComputePassEncoder.prototype, 'dispatchWorkgroups').mockReturnValue(undefined);
    const meter = installGpuMeter();
    const numFrames = NEMOTRON.maxEncoderFrames;
    // Without dispatches, all logits are zero, which is an error.
    await expect(network.logits({ embeddings: new Float32Array(numFrames * 512), numFrames, numValidFrames: numFrames, firstScoredFrame: 304 })).rejects.toMatchObject({ code: 'gpu-wrong' });
    const { dispatches, submits } = meter.take().other!;
    console.log(`${NEMOTRON.numLayers} layers: ${dispatches} dispatches`);
    expect(dispatches).toBe(349);
    expect(dispatches).toBeLessThanOrEqual(MAX_DISPATCHES);
    expect(submits).toBe(1);
    vi.restoreAllMocks();
    await network.release();
  });
});
