/**
 * Counts the dispatches of the whole sample with our own kernels and with ONNX Runtime, on Dawn in Node.
 *
 * Dispatches are counted but not executed, and kernels are compiled without their code, because a software adapter would need
 * many minutes. The number of dispatches depends on the shapes, not on the values. Which local speakers are embedded comes from
 * a segmentation on WASM. ONNX Runtime runs one window only: it needs the same dispatches for each window and each embedding.
 */
import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import type { EmbedBatch } from '../../src/embedding/embedder';
import { Segmenter } from '../../src/segmentation/segment';
import { openEmbedding, openSegmentation } from '../../workers/model';
import { installGpuFault } from '../browser/gpuFaults';
import { installGpuMeter, type GpuCountsByStage } from '../browser/gpuMeter';
import { installDawn } from '../gpu/dawn';
import { fetchFiles, loadRequest } from '../gpu/openInNode';
import { describeUnless } from '../skips';

const missing = await installDawn();

const TIMEOUT_MS = 600_000;
const SAMPLE_RATE = 16_000;
const NUM_SECONDS = 30;
const WINDOW_SECONDS = 10;
const NUM_SPEAKERS = 3;
/** Local speakers of the sample with enough frames. */
const NUM_EMBEDDINGS = 41;
const EMBEDDING_SIZE = 192;
const MAX_EMBEDDING_DISPATCHES = 320;

/** Numbers of dispatches by stage, of embeddings and of batches. */
interface Counted {
  readonly segmentation: number;
  readonly fbank: number;
  readonly embedding: number;
  readonly numEmbeddings: number;
  readonly numBatches: number;
}

/** All windows of the sample, one per second. */
function sampleWindows(): Float32Array[] {
  const file = readFileSync('public/sample.wav');
  const start = file.length - 2 * NUM_SECONDS * SAMPLE_RATE;
  return Array.from({ length: NUM_SECONDS - WINDOW_SECONDS + 1 }, (_, second) =>
    Float32Array.from({ length: WINDOW_SECONDS * SAMPLE_RATE }, (_, i) => file.readInt16LE(start + 2 * (second * SAMPLE_RATE + i)) / 32768),
  );
}

/** Concatenates windows into batches. */
function batchesOf<Values extends Float32Array | Uint8Array>(windows: readonly Values[], size: number): { data: Values; numWindows: number }[] {
  return Array.from({ length: Math.ceil(windows.length / size) }, (_, index) => {
    const own = windows.slice(index * size, (index + 1) * size);
    const data = new (own[0]!.constructor as new (length: number) => Values)(own.length * own[0]!.length);
    for (const [place, values] of own.entries()) data.set(values, place * values.length);
    return { data, numWindows: own.length };
  });
}

/** Removes the code of all kernels, but not their bindings, from which layouts can be derived. */
function compileNothing(): void {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with the receiver of the patched method
  const { createShaderModule } = GPUDevice.prototype;
  GPUDevice.prototype.createShaderModule = function (descriptor) {
    const { code } = descriptor;
    const [, ...entries] = code.split('@compute');
    // The guard of values has two small kernels.
    if (entries.length !== 1) return createShaderModule.call(this, descriptor);
    const bindings = Array.from(code.matchAll(/@binding\(\d+\)\s*var(?:<[^>]*>)?\s*(\w+)/g), ([, name]) => `_ = &${name};`);
    const declarations = code.slice(0, code.indexOf('@compute'));
    return createShaderModule.call(this, { ...descriptor, code: `${declarations}@compute @workgroup_size(1) fn main() { ${bindings.join(' ')} }` });
  };
}

describeUnless(missing)('dispatches of the sample', { timeout: TIMEOUT_MS }, () => {
  const windows = sampleWindows();
  /** Axes (frame, local speaker) of each window. */
  const activities: Uint8Array[] = [];
  let take: () => GpuCountsByStage;
  let enter: (stage: 'segmentation' | 'embedding') => void;

  beforeAll(async () => {
    fetchFiles();
    compileNothing();
    GPUComputePassEncoder.prototype.dispatchWorkgroups = () => undefined;
    GPUComputePassEncoder.prototype.dispatchWorkgroupsIndirect = () => undefined;
    const meter = installGpuMeter();
    enter = (stage) => { meter.enter(stage); };
    take = () => meter.take();
    // Without dispatches, all values are zero, which is an error. This adds a constant to results.
    installGpuFault({ stage: 'segmentation', kind: 'perturb' });
    const { graph, manifest } = await openSegmentation(loadRequest('segmentation-3.0', 'wasm'));
    const segmenter = new Segmenter(graph, manifest);
    for (const window of windows) activities.push(await segmenter.segment(window));
  }, TIMEOUT_MS);

  /**
   * Runs both models on batches of the first windows.
   *
   * @returns numbers of dispatches by stage, and of embeddings, for each number of windows per batch
   */
  async function count(ownKernels: boolean, numUsed: number, batchSizes: readonly number[]): Promise<Counted[]> {
    const segmentation = await openSegmentation(loadRequest('segmentation-3.0', 'webgpu', ownKernels));
    const { embedder } = await openEmbedding(loadRequest('campplus-zh-en', 'webgpu', ownKernels), null);
    const counted: Counted[] = [];
    for (const batchSize of batchSizes) {
      take();
      const batches = batchesOf(windows.slice(0, numUsed), batchSize);
      const activity = batchesOf(activities.slice(0, numUsed), batchSize);
      let numEmbeddings = 0;
      for (const [index, { data, numWindows }] of batches.entries()) {
        enter('segmentation');
        await segmentation.graph.run({ data, shape: [numWindows, 1, data.length / numWindows] });
        enter('embedding');
        const batch: EmbedBatch = { windows: data, activity: activity[index]!.data, numWindows, numSpeakers: NUM_SPEAKERS };
        const { embeddings } = await embedder.embed(batch);
        numEmbeddings += embeddings.filter((value, i) => i % EMBEDDING_SIZE === 0 && !Number.isNaN(value)).length;
      }
      const counts = take();
      const [ofSegmentation, ofFbank, ofEmbedding] = (['segmentation', 'fbank', 'embedding'] as const).map((stage) => counts[stage]?.dispatches ?? 0) as [number, number, number];
      counted.push({ segmentation: ofSegmentation, fbank: ofFbank, embedding: ofEmbedding, numEmbeddings, numBatches: batches.length });
    }
    await embedder.close();
    await segmentation.graph.release();
    return counted;
  }

  const total = ({ segmentation, fbank, embedding }: Counted): number => segmentation + fbank + embedding;
  const report = (name: string, counted: Counted): void => {
    const { segmentation, fbank, embedding, numEmbeddings } = counted;
    console.log(`${name}: ${numEmbeddings} embeddings, ${total(counted)} dispatches (segmentation ${segmentation}, fbank ${fbank}, embedding ${embedding})`);
  };

  test('our own kernels stay within the limits per batch and need a tenth of those of ONNX Runtime', async () => {
    const own = await count(true, windows.length, [1, 32]);
    for (const counted of own) {
      report(`our own kernels, ${counted.numBatches} batches`, counted);
      expect(counted.numEmbeddings).toBe(NUM_EMBEDDINGS);
      expect(counted.segmentation).toBe(31 * counted.numBatches);
      expect(counted.embedding).toBeLessThanOrEqual(MAX_EMBEDDING_DISPATCHES * counted.numBatches);
    }
    const [first] = (await count(false, 1, [1])) as [Counted];
    expect(first.embedding % first.numEmbeddings).toBe(0);
    const runtime: Counted = {
      segmentation: windows.length * first.segmentation,
      fbank: windows.length * first.fbank,
      embedding: (first.embedding / first.numEmbeddings) * NUM_EMBEDDINGS,
      numEmbeddings: NUM_EMBEDDINGS,
      numBatches: windows.length,
    };
    report(`ONNX Runtime, ${runtime.numBatches} batches`, runtime);
    for (const counted of own) expect(total(counted)).toBeLessThan(total(runtime) / 10);
  });
});
