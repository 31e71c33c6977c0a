/** The filterbank of Nemotron 3 Diarization on the GPU, with features that stay there, on Dawn in Node, with one narrow layer. */
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import nemotron from '../../models/nemotron-3-diarization/manifest.json';
import type { ModelCheck } from '../../src/compare/modelCheck';
import { testConversation } from '../../src/embedding/testSpeech';
import { GpuFbank } from '../../src/features/gpuFbank';
import { type GpuContext, openGpu } from '../../src/gpu/context';
import { GpuNetwork } from '../../src/sortformer/gpuNetwork';
import { cpuFrontEnd } from '../../src/sortformer/melFrontEnd';
import { checkNetwork } from '../../src/sortformer/networkCheck';
import { SampleFramer } from '../../src/sortformer/sampleFramer';
import { seededTensors } from '../../src/sortformer/seededNetwork';
import { SpeakerStream } from '../../src/sortformer/speakerStream';
import { batchFrames } from '../../src/sortformer/stepSchedule';
import { STREAM_MODES, type StreamMode } from '../../src/store/streamModes';
import { parseStreamingSettings } from '../../src/store/streamingSettings';
import { concatenate } from '../../src/util/values';
import { graphInForm } from '../../src/weights/graphForm';
import { installDawn } from '../gpu/dawn';
import { NARROW, narrowGraph } from '../nemotron/fittedNarrow';
import { NEMOTRON, nemotronGraph } from '../seededNemotron';
import { describeUnless } from '../skips';

const missing = await installDawn();
const settings = parseStreamingSettings(nemotron.streaming, NARROW.id);
const frontEnd = cpuFrontEnd(NARROW);
const graph = narrowGraph(1);
/** Two offline steps, or several of each streaming mode. */
const SECONDS: Readonly<Record<StreamMode, number>> = { offline: 32, low_latency: 4, very_low_latency: 3, ultra_low_latency: 2 };
const soundFor = (mode: StreamMode): Float32Array => testConversation(NARROW.sampleRate, SECONDS[mode] * NARROW.sampleRate + 77, 5);

describeUnless(missing)('the filterbank on WebGPU', { timeout: 600_000 }, () => {
  let gpu: GpuContext;
  const openNarrow = (filterbank?: typeof NARROW): Promise<GpuNetwork> => {
    const weights = new Map(Array.from(seededTensors(graph, NARROW), ([name, { data }]) => [name, new Uint8Array(data.buffer)]));
    return GpuNetwork.open(gpu, { model: graph, weights, manifest: NARROW, ...(filterbank && { filterbank }) });
  };
  let network: GpuNetwork;
  beforeAll(async () => {
    gpu = await openGpu();
    network = await openNarrow(NARROW);
  });
  afterEach(() => { vi.restoreAllMocks(); });
  afterAll(() => network.release());

  async function run(mode: StreamMode, samples: Float32Array, sizes: readonly number[], of: GpuNetwork = network): Promise<Float32Array> {
    const stream = new SpeakerStream('samples', { network: of, settings, mode, frontEnd });
    const pieces: Float32Array[] = [];
    for (let at = 0, push = 0; at < samples.length; at += sizes[push++ % sizes.length]!) {
      pieces.push((await stream.push(samples.subarray(at, at + sizes[push % sizes.length]!))).logits);
    }
    pieces.push((await stream.finish()).logits);
    return concatenate(pieces);
  }

  test.each(STREAM_MODES)('gives the same bytes for any size of the pushes in the mode %s, and reads back no features', async (mode) => {
    const samples = soundFor(mode);
    const fbank = vi.spyOn(GpuFbank.prototype, 'encode');
    const embed = vi.spyOn(network, 'embed');
    const whole = await run(mode, samples, [samples.length]);
    expect(whole.length).toBe(Math.floor(samples.length / 160) * 8);
    const numBatches = fbank.mock.calls.length;
    expect(numBatches).toBeGreaterThanOrEqual(mode === 'offline' ? 1 : 3);
    // Only the last, partial batch has features of the CPU.
    expect(embed).toHaveBeenCalledTimes(1);
    for (const sizes of [[4001], [1, 159, 12_800, 7], [160], [65_536]]) expect(Buffer.from((await run(mode, samples, sizes)).buffer).equals(Buffer.from(whole.buffer)), sizes.join()).toBe(true);
    expect(fbank).toHaveBeenCalledTimes(5 * numBatches);
  });

  test.each(STREAM_MODES)('gives the logits of the filterbank on the CPU in the mode %s, but for its rounding', async (mode) => {
    const samples = soundFor(mode);
    const plain = await openNarrow();
    expect(plain.embedSamples).toBeUndefined();
    const [actual, expected] = [await run(mode, samples, [8000]), await run(mode, samples, [8000], plain)];
    await plain.release();
    expect(actual.length).toBe(expected.length);
    const spread = Math.max(...expected) - Math.min(...expected);
    const worst = actual.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0);
    console.log(`${mode}: logits with the filterbank on the GPU differ by ${(worst / spread).toExponential(2)} of their spread`);
    // The bound of the issue for logits.
    expect(worst / spread).toBeLessThanOrEqual(1e-3);
    expect(worst).toBeGreaterThan(0);
  });

  test('has the encoder frames of the mel frames on the CPU, at the edge of a recording and inside', async () => {
    const { first, later } = batchFrames(settings, 'low_latency');
    const batches = [...new SampleFramer(frontEnd, first, later).batches(soundFor('low_latency'))];
    expect(batches.length).toBeGreaterThan(2);
    for (const batch of batches) {
      const expected = await network.embed(await frontEnd.melFrames(batch.samples, batch.centerSamples, batch.numFrames));
      const actual = await network.embedSamples!(batch);
      expect(actual.length).toBe(expected.length);
      // The bound of a feature, 2e-3, for sums whose weights have a root mean square of 1 / √inputs; 5 times for the greatest.
      expect(Math.max(...actual.map((value, i) => Math.abs(value - expected[i]!)))).toBeLessThanOrEqual(5 * 2e-3);
    }
  });

  test('submits once per batch, and allocates nothing for later ones', async () => {
    const { first, later } = batchFrames(settings, 'low_latency');
    const [whole, second, third] = new SampleFramer(frontEnd, first, later).batches(soundFor('low_latency'));
    for (const batch of [whole!, second!]) await network.embedSamples!(batch);
    const buffers = vi.spyOn(GPUDevice.prototype, 'createBuffer');
    const submits = vi.spyOn(GPUQueue.prototype, 'submit');
    await network.embedSamples!(third!);
    expect(buffers).not.toHaveBeenCalled();
    expect(submits).toHaveBeenCalledTimes(1);
  });

  test.each([
    ['zeros', false, 'gpu-wrong'],
    ['a lost device', true, 'gpu-lost'],
  ] as const)('reports %s', async (_name, isLost, code) => {
    const [batch] = new SampleFramer(frontEnd, 16, 16).batches(soundFor('ultra_low_latency'));
    await network.embedSamples!(batch!);
    vi.spyOn(GpuFbank.prototype, 'encode').mockImplementation(() => {
      if (isLost) gpu.device.destroy();
      return 1;
    });
    // What earlier batches left would pass for features.
    const { units } = (network as unknown as { room: { units: GPUBuffer } }).room;
    const encoder = gpu.device.createCommandEncoder();
    encoder.clearBuffer(units);
    gpu.device.queue.submit([encoder.finish()]);
    await expect(network.embedSamples!(batch!)).rejects.toMatchObject({ code });
  });

  describe('in the self-check', () => {
    const check = async (): Promise<ModelCheck> => {
      const own = await openGpu();
      const result = await checkNetwork(nemotronGraph(), NEMOTRON, {
        form: 'float16',
        backend: 'webgpu',
        open: (part, weights) => GpuNetwork.open(own, { model: graphInForm(part, 'float16'), weights, manifest: NEMOTRON, filterbank: NEMOTRON }),
      });
      own.device.destroy();
      return result;
    };

    test('passes', async () => {
      const { stages } = await check();
      expect(stages.map(({ stage, passed }) => [stage, passed])).toEqual([['fbank', true], ['stacked', true], ['logits', true]]);
      const { maxAbs, cosine } = stages[0]!;
      console.log(`the self-check of the filterbank: ${maxAbs.toExponential(2)} of 1e-2, 1 - cosine ${(1 - cosine).toExponential(2)} of 1e-5`);
    });

    test('fails with another pre-emphasis', async () => {
      // eslint-disable-next-line @typescript-eslint/unbound-method -- called as a static method
      const { create } = GpuFbank;
      vi.spyOn(GpuFbank, 'create').mockImplementation((device, facts, ...more) => create.call(GpuFbank, device, { ...facts, preemphasis: 0.96 }, ...more));
      expect((await check()).stages.map(({ stage, passed }) => [stage, passed])).toEqual([['fbank', false], ['stacked', true], ['logits', true]]);
    });
  });
});
