/** The networks of `fast` on WASM: the self-check of their golden outputs, with the limits of the bundle. */
import { describe, expect, it } from 'vitest';
import { CAMPPLUS, SEGMENTATION } from '../../test/compare/plantedModels';
import { testedBuilds } from '../../test/nn/builds';
import { CampplusNet } from '../embedding/campplusNet';
import { CpuEmbedder } from '../embedding/embedder';
import { PyannetNet } from '../segmentation/pyannetNet';
import type { EmbeddingManifest } from '../store/manifest';
import { compareTensors } from './compare';
import { tensorNamed } from './files/bundle';
import { selfCheck } from './modelCheck';

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
