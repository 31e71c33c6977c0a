/** The networks of `fast` on WASM: the self-check of their golden outputs, with the limits of the bundle. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { CAMPPLUS, SEGMENTATION } from '../../test/compare/plantedModels';
import { testedBuilds } from '../../test/nn/builds';
import { CampplusNet } from '../embedding/campplusNet';
import { CpuEmbedder } from '../embedding/embedder';
import { Int16Products, ROWS_AT_ONCE } from '../nn/int16';
import { PyannetNet } from '../segmentation/pyannetNet';
import type { EmbeddingManifest } from '../store/manifest';
import { compareTensors } from './compare';
import { tensorNamed } from './files/bundle';
import { selfCheck } from './modelCheck';
import { comparedScores, repeatedWaveform, sumOf, withSegments, withWindows } from './windowCheck';

describe.each(testedBuilds())('int16 on the %s kernels', (build) => {
  it('segmentation-3.0 passes its self-check', async () => {
    const { model, manifest, bundle } = SEGMENTATION;
    const net = PyannetNet.ofModel(model, manifest, build, 'int16');
    const { data, shape } = tensorNamed(bundle.inputs, 'waveform');
    const check = await selfCheck({ model: manifest.id, backend: 'kernels' }, 1, async (compare) => {
      compare('classifier', (await net.run({ data, shape })).data);
    }, bundle);
    expect(check).toMatchObject({ passed: true, stages: [{ stage: 'classifier', passed: true }] });
    // In float32, the difference is below 1e-4.
    expect(check.stages[0]!.maxAbs).toBeGreaterThan(1e-4);
  }, 60_000);

  it('CAM++ passes its self-check, and its embedding differs by an angle that no clustering can see', async () => {
    const { model, manifest, bundle } = CAMPPLUS;
    const nets = (['float32', 'int16'] as const).map((arithmetic) => new CpuEmbedder(CampplusNet.ofModel(model, manifest, build, arithmetic), manifest as EmbeddingManifest));
    const { data } = tensorNamed(bundle.inputs, 'waveform');
    const [exact, found] = await Promise.all(nets.map((net) => net.embedSegment(data, () => undefined)));
    // Embeddings are compared at cosine distances of 1e-3 and more.
    const { cosine } = compareTensors(found!, exact!, { axes: ['dimension'], shape: [exact!.length] });
    expect(cosine).toBeGreaterThan(0.99999);
    expect(cosine).toBeLessThan(1);
    const check = await selfCheck({ model: manifest.id, backend: 'kernels' }, 1, (compare) => {
      compare('embedding', found!);
      return Promise.resolve();
    }, bundle);
    expect(check.passed).toBe(true);
  }, 60_000);
});

/** A check of the golden input that passed. */
const passedCheck = (model: string) => ({ model, backend: 'kernels', passed: true, seconds: 1, stages: [] }) as const;

describe.each(testedBuilds())('int16 on the %s kernels at the lengths of a run', (build) => {
  // The faults are planted above the kernels, so one build is enough.
  const itOnce = build === 'plain' ? it : () => undefined;
  afterEach(() => { vi.restoreAllMocks(); });
  const segmentationOf = () => PyannetNet.ofModel(SEGMENTATION.model, SEGMENTATION.manifest, build, 'int16');
  const embedderOf = () => {
    const manifest = CAMPPLUS.manifest as EmbeddingManifest;
    return new CpuEmbedder(CampplusNet.ofModel(CAMPPLUS.model, manifest, build, 'int16'), manifest);
  };

  it('passes with a batch of whole windows, and with segments of a window and of a part of it', async () => {
    const check = await withWindows(passedCheck('segmentation-3.0'), segmentationOf(), SEGMENTATION.bundle);
    expect(check).toMatchObject({ passed: true, seconds: 1, stages: [{ stage: 'classifier (4 × 10 s)', passed: true }] });
    // In float32, the difference is the rounding of the stored values, 5e-4.
    expect(check.stages[0]!.maxAbs).toBeGreaterThan(1e-3);
    const segments = await withSegments(passedCheck('campplus-zh-en'), embedderOf(), CAMPPLUS.bundle);
    expect(segments).toMatchObject({ passed: true, stages: [{ stage: 'embedding (10 s)', passed: true }, { stage: 'embedding (5 s)', passed: true }] });
  }, 60_000);

  /** Products without the rows of a layer after the first 192, which are converted at a time. The golden inputs have fewer. */
  function cutProducts(): void {
    // eslint-disable-next-line @typescript-eslint/unbound-method -- called with the receiver of the mocked method
    const { multiply } = Int16Products.prototype;
    let [matrix, numBefore] = [-1, 0];
    vi.spyOn(Int16Products.prototype, 'multiply').mockImplementation(function (this: Int16Products, product) {
      if (product.matrix.address !== matrix) [matrix, numBefore] = [product.matrix.address, 0];
      const numRows = Math.min(product.numRows, ROWS_AT_ONCE - numBefore);
      numBefore += product.numRows;
      if (numRows > 0) multiply.call(this, { ...product, numRows });
    });
  }

  itOnce('fails with scores that are wrong only beyond the rows of the golden input', async () => {
    cutProducts();
    const net = segmentationOf();
    const { model, bundle } = { model: SEGMENTATION.manifest.id, bundle: SEGMENTATION.bundle };
    const { data, shape } = tensorNamed(bundle.inputs, 'waveform');
    const golden = await selfCheck({ model, backend: 'kernels' }, 1, async (compare) => {
      compare('classifier', (await net.run({ data, shape })).data);
    }, bundle);
    expect(golden.passed).toBe(true);
    const check = await withWindows(golden, net, bundle);
    expect(check).toMatchObject({ passed: false, stages: [{ stage: 'classifier', passed: true }, { stage: 'classifier (4 × 10 s)', passed: false }] });
  }, 60_000);

  itOnce('fails with embeddings that are wrong only beyond the rows of the golden input', async () => {
    cutProducts();
    const embedder = embedderOf();
    const { data } = tensorNamed(CAMPPLUS.bundle.inputs, 'waveform');
    const golden = await selfCheck({ model: CAMPPLUS.manifest.id, backend: 'kernels' }, 1, async (compare) => {
      compare('embedding', await embedder.embedSegment(data, () => undefined));
    }, CAMPPLUS.bundle);
    expect(golden.passed).toBe(true);
    const check = await withSegments(golden, embedder, CAMPPLUS.bundle);
    expect(check).toMatchObject({ passed: false, stages: [{ passed: true }, { stage: 'embedding (10 s)', passed: false }, { stage: 'embedding (5 s)' }] });
  }, 60_000);

  itOnce('fails with a window in the place of another', async () => {
    const net = segmentationOf();
    const swapped = { run: async ({ data, shape }: { readonly data: Float32Array; readonly shape: readonly number[] }) => {
      const numSamples = shape[2]!;
      const windows = data.slice();
      windows.set(data.subarray(numSamples, 2 * numSamples), 0);
      windows.set(data.subarray(0, numSamples), numSamples);
      return net.run({ data: windows, shape });
    } };
    expect((await withWindows(passedCheck('segmentation-3.0'), swapped as never, SEGMENTATION.bundle)).passed).toBe(false);
  }, 60_000);
});

describe('the check at the lengths of a run', () => {
  const never = { run: () => { throw new Error('not expected'); }, embedSegment: () => { throw new Error('not expected'); } } as never;
  const passed = passedCheck('segmentation-3.0');

  it('is left out after a failure, and for another checkpoint or waveform', async () => {
    const { bundle } = SEGMENTATION;
    const failed = { ...passed, passed: false };
    expect(await withWindows(failed, never, bundle)).toBe(failed);
    expect(await withWindows(passed, never, { ...bundle, source: { ...bundle.source, checkpoint_sha256: 'a'.repeat(64) } })).toBe(passed);
    const inputs = bundle.inputs.map((input) => ({ ...input, data: input.data.map((value, i) => (i === 7 ? value + 1 / 32768 : value)) }));
    expect(await withWindows(passed, never, { ...bundle, inputs })).toBe(passed);
    const { bundle: embedding } = CAMPPLUS;
    expect(await withSegments(failed, never, embedding)).toBe(failed);
    expect(await withSegments(passed, never, { ...embedding, source: {} })).toBe(passed);
  });

  it('repeats the golden waveform with other gains in each window', () => {
    const waveform = Float32Array.of(1, -1);
    expect([...repeatedWaveform(waveform, 5, 0)]).toEqual([1, -1, 0.5, -0.5, 0.25]);
    expect([...repeatedWaveform(waveform, 3, 2)]).toEqual([0.25, -0.25, Math.fround(0.8)]);
    expect(sumOf(Float32Array.of(1 / 32768, -3 / 32768))).toBe(-2);
  });

  it('compares every 31st row of scores', () => {
    const data = Float32Array.from({ length: 40 * 7 }, (_, i) => i);
    expect([...comparedScores(data)]).toEqual([0, 1, 2, 3, 4, 5, 6, 217, 218, 219, 220, 221, 222, 223]);
  });
});
