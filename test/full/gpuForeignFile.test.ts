/**
 * A ResNet34 of unknown hash on WebGPU, on Dawn in Node. It has no golden outputs, so WASM is the reference.
 * src/pipeline/trust.test.ts covers a GPU that fails this check.
 *
 * Windows have 0.4 s, because a software adapter takes seconds for each. test/full/gpuModels.test.ts has a window of 10 s.
 */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { proveEmbeddingWindows } from '../../src/compare/proveWindows';
import { openEmbedding, type EmbeddingModel } from '../../workers/model';
import { installGpuFault } from '../browser/gpuFaults';
import { installDawn, RUNTIME_BASE } from '../gpu/dawn';
import { seededResnet34 } from '../seededModel';

const missing = await installDawn();
if (missing !== null) console.log(`skipped: a model of unknown hash on WebGPU in Node: ${missing}`);
const setFault = missing === null ? installGpuFault(null) : () => undefined;

const WINDOW = { windowSamples: 6_400, numWindows: 1 };

describe.skipIf(missing !== null)('a ResNet34 of unknown hash', { timeout: 900_000 }, () => {
  let model: EmbeddingModel;
  beforeAll(async () => {
    // Node's fetch reads no files.
    vi.stubGlobal('fetch', (address: string | URL) => Promise.resolve(new Response(readFileSync(new URL(address)))));
    model = await openEmbedding(
      {
        modelId: 'wespeaker-resnet34-lm',
        backend: 'webgpu',
        modelsBase: new URL('../../models/', import.meta.url).href,
        runtimeBase: RUNTIME_BASE,
        threads: 1,
        hub: null,
        modelFile: new File([seededResnet34('wespeaker')], 'mine.onnx'),
        trustUnknownModel: true,
      },
      null,
    );
  }, 900_000);

  test('is named, and is compared with itself on WASM: a correct GPU passes, one that is wrong only for this file fails', async () => {
    expect(model.hasGoldens).toBe(false);
    expect(model.reply.note).toContain('mine.onnx is none of the known files of wespeaker-resnet34-lm');
    expect(model.reply.note).toContain(model.reply.sha256);
    const reference = await model.openReference();
    const sound = await proveEmbeddingWindows(reference, model.embedder, model.manifest, WINDOW);
    expect(sound).toMatchObject({ passed: true, stages: [{ stage: 'fbank (0.4 s)' }, { stage: 'embedding (0.4 s)' }] });
    setFault({ stage: 'embedding', kind: 'perturb' });
    const faulty = await proveEmbeddingWindows(reference, model.embedder, model.manifest, WINDOW);
    setFault(null);
    expect(faulty.stages.map(({ passed }) => passed)).toEqual([true, false]);
    await reference.close();
    await model.embedder.close();
  });
});
