/**
 * Runs of the preset nemotron on our WebGPU kernels, on Dawn in Node, with seeded weights and planted faults. The worker code runs
 * in this thread.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { remembered, serveWorkers } from '../nemotron/threadlessMocks';
import type { SortformerWorkerApi } from '../../workers/contracts';
import { testConversation } from '../../src/embedding/testSpeech';
import { Diarizer } from '../../src/engine/diarizer';
import type { DiarizationResult, DiarizeOptions, DiarizerOptions, ModelCheck } from '../../src/engine/types';
import { GpuFbank } from '../../src/features/gpuFbank';
import { GpuNetwork } from '../../src/sortformer/gpuNetwork';
import { cpuFrontEnd } from '../../src/sortformer/melFrontEnd';
import { probabilitiesOf } from '../../src/sortformer/activity';
import { float16LogitError } from '../../src/sortformer/networkCheck';
import { stream } from '../../src/sortformer/speakerStream';
import { ModelStore } from '../../src/store/modelStore';
import { parseStreamingSettings } from '../../src/store/streamingSettings';
import { VoxlaneError } from '../../src/util/errors';
import { formName } from '../../src/weights/formNames';
import { WeightsStore } from '../../src/weights/weightsStore';
import nemotron from '../../models/nemotron-3-diarization/manifest.json';
import { installDawn } from '../gpu/dawn';
import { fetchFiles } from '../gpu/openInNode';
import { writeSeededFolder } from '../nemotron/modelFolder';
import { served } from '../nemotron/threadless';
import { NEMOTRON } from '../seededNemotron';
import { MIN_EQUAL_SHARE } from '../sortformerPipelineGoldens';
import { openSeeded } from '../sortformerNetworkTests';
import { describeUnless } from '../skips';

const files = vi.hoisted(() => ({ models: '', runtime: new URL('../../node_modules/onnxruntime-web/dist/', import.meta.url).href, goldens: '' }));
vi.mock(import('../../src/engine/defaultFiles'), () => ({ defaultFiles: () => Promise.resolve({ ...files }) }));

/** Whether the adapter counts as software. Here, it always is. */
const adapters = vi.hoisted(() => ({ isSoftware: true }));
vi.mock(import('../../src/engine/backend'), async (original) => {
  const actual = await original();
  const planBackend: typeof actual.planBackend = async (choice, threads) => {
    const plan = await actual.planBackend(choice, threads);
    return { ...plan, adapter: plan.adapter && { ...plan.adapter, isSoftware: plan.adapter.isSoftware && adapters.isSoftware } };
  };
  return { ...actual, planBackend };
});

const missing = await installDawn();
await serveWorkers('decode', 'sortformer');

const SAMPLE_RATE = 16_000;
const NUM_SPEAKERS = 8;
const folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
const folderOf = (numLayers: number): ReturnType<typeof writeSeededFolder> => {
  const at = join(folder, String(numLayers));
  mkdirSync(at);
  return writeSeededFolder(at, numLayers);
};
/** Three offline steps. */
const long = testConversation(SAMPLE_RATE, 62 * SAMPLE_RATE + 77, 3);
/** Two offline steps. A run pushes it in five calls, and has the first logits after the fourth. */
const samples = long.slice(0, 35 * SAMPLE_RATE + 77);

beforeEach(() => {
  fetchFiles();
  vi.stubGlobal('document', { baseURI: 'https://example.org/' });
});
afterEach(() => { vi.restoreAllMocks(); });
afterAll(() => { rmSync(folder, { recursive: true }); });

interface Run {
  readonly result: DiarizationResult;
  /** Axes (frame, speaker), of the last try. */
  readonly probabilities: readonly number[];
}

async function run(diarizer: Diarizer, source: Float32Array | AsyncIterable<Float32Array> = samples, options: DiarizeOptions = {}): Promise<Run> {
  const pieces: Float32Array[] = [];
  let before = 0;
  const result = await diarizer.diarize(source, {
    sampleRate: SAMPLE_RATE,
    ...options,
    hook: (event) => {
      if (event.stage === 'segmentation' && event.artifact) {
        if (event.completed <= before) pieces.length = 0;
        before = event.completed;
        pieces.push(event.artifact.data as Float32Array);
      }
      options.hook?.(event);
    },
  });
  return { result, probabilities: pieces.flatMap((data) => [...data]) };
}

async function* inPieces(): AsyncGenerator<Float32Array> {
  for (let at = 0; at < samples.length; at += 9973) yield await Promise.resolve(samples.slice(at, at + 9973));
}

describeUnless(missing)('the preset nemotron on WebGPU', { timeout: 1_800_000 }, () => {
  const openerOf = (numLayers: number): ((options?: DiarizerOptions) => Promise<Diarizer>) => {
    const { base, weights } = folderOf(numLayers);
    const modelFile = new File([weights], 'model.safetensors');
    return (options) => {
      files.models = base;
      return Diarizer.create({ preset: 'nemotron', modelFile, backend: 'webgpu', ...options });
    };
  };
  const open = openerOf(1);

  test('has the decisions of ONNX Runtime with the same float16 weights, with four layers, and those of float32 but for the rounding', async () => {
    const diarizer = await openerOf(4)();
    const { result, probabilities } = await run(diarizer, long);
    diarizer.dispose();
    expect(result.backend).toMatchObject({ name: 'webgpu', selfCheck: [{ model: NEMOTRON.id, backend: 'webgpu', passed: true }] });
    expect(result.backend.reason).toBe('WebGPU was requested, our WebGPU kernels reproduced the golden outputs of a model with random weights');
    const settings = parseStreamingSettings(nemotron.streaming, 'manifest.json');
    for (const [form, most] of [['float16', 1 - MIN_EQUAL_SHARE], ['float32', float16LogitError(4) / Math.PI]] as const) {
      const network = await openSeeded(4, { form });
      const expected: number[] = [];
      for await (const { logits } of stream('samples', [long], { network, settings, mode: 'offline', frontEnd: cpuFrontEnd(NEMOTRON) })) expected.push(...probabilitiesOf(logits));
      await network.release();
      expect(probabilities).toHaveLength(expected.length);
      const different = probabilities.filter((probability, index) => probability > 0.5 !== expected[index]! > 0.5).length;
      console.log(`WebGPU with float16 weights, 4 layers: ${different} of ${expected.length} decisions differ from ONNX Runtime with ${form}`);
      // Normally distributed logits with independent, small errors have other signs in the share of the error, divided by π.
      expect(different / expected.length).toBeLessThanOrEqual(most);
    }
    expect(new Set(result.turns.map(({ speaker }) => speaker)).size).toBeLessThanOrEqual(NUM_SPEAKERS);
    expect(result.turns.length).toBeGreaterThan(50);
  });

  test('is not chosen by auto on a software adapter', async () => {
    const opened = vi.spyOn(GpuNetwork, 'open');
    const diarizer = await open({ backend: 'auto' });
    expect(diarizer.backend).toMatchObject({ name: 'wasm', reason: expect.stringMatching(/^the WebGPU adapter \(.*\) computes on the processor; ONNX Runtime .* int8/) as string });
    expect(opened).not.toHaveBeenCalled();
    diarizer.dispose();
  });

  test('is not used if only int8 weights are stored, because its weights would be another download', async () => {
    const at = join(folder, 'served');
    mkdirSync(at);
    const { base, weights, sha256 } = writeSeededFolder(at, 1);
    // Without the store's files, and instead of a download.
    const dropped = new File([weights], 'model.safetensors');
    // eslint-disable-next-line @typescript-eslint/unbound-method -- called with the receiver of the patched method
    const { prepare } = WeightsStore.prototype;
    vi.spyOn(WeightsStore.prototype, 'prepare').mockImplementation(function (this: WeightsStore, id, sources, options) {
      return prepare.call(this, id, sources, { ...options, dropped });
    });
    const file = { id: NEMOTRON.id, file: 'model.int8.safetensors', bytes: 1, sha256: 'c'.repeat(64), license: null, trusted: false, storedAt: 0 };
    files.models = base;
    const nameWith = async (as: string | null): Promise<string[]> => {
      vi.spyOn(ModelStore.prototype, 'list').mockResolvedValue(as === null ? [] : [{ ...file, made: { from: sha256, as } }]);
      const diarizer = await Diarizer.create({ preset: 'nemotron', backend: 'webgpu' });
      const { name, reason } = diarizer.backend!;
      diarizer.dispose();
      return [name, reason];
    };
    expect(await nameWith(formName('int8'))).toEqual(['wasm', expect.stringMatching(/^only int8 weights are stored, and WebGPU needs float16 weights: delete the model and load it again to use WebGPU; ONNX Runtime .* int8/)]);
    for (const as of [formName('float16'), null]) expect((await nameWith(as))[0]).toBe('webgpu');
  });

  test('is chosen by auto if it was faster than WASM in the trial', async () => {
    const entryOf = (backend: string): [string, { check: ModelCheck }] =>
      [...remembered].find(([, stored]) => (stored as { check: ModelCheck }).check.backend === backend) as [string, { check: ModelCheck }];
    // The checks of other graphs.
    remembered.clear();
    (await open()).dispose();
    adapters.isSoftware = false;
    const slow = (seconds: number): void => {
      const [key, stored] = entryOf('webgpu');
      for (const other of [...remembered.keys()].filter((one) => one.includes('GPU'))) remembered.delete(other);
      remembered.set(key, { ...stored, check: { ...stored.check, seconds } });
    };
    remembered.forEach((stored, key) => { if ((stored as { check: ModelCheck }).check.backend === 'wasm') remembered.delete(key); });
    slow(1e6);
    const onWasm = await open({ backend: 'auto' });
    expect(onWasm.backend).toMatchObject({ name: 'wasm', reason: expect.stringMatching(/WASM was faster in a trial: .* 1000000.00 s on WebGPU.*int8/) as string, selfCheck: [{ backend: 'webgpu' }, { backend: 'wasm' }] });
    onWasm.dispose();
    slow(1e-6);
    const onGpu = await open({ backend: 'auto' });
    expect(onGpu.backend).toMatchObject({ name: 'webgpu', reason: expect.stringContaining('were faster than WASM') as string });
    onGpu.dispose();
    adapters.isSoftware = true;
  });

  test('is not used if it fails the self-check, which is stored', async () => {
    const before = new Map(remembered);
    remembered.clear();
    // eslint-disable-next-line @typescript-eslint/unbound-method -- called with the receiver of the patched method
    const { logits } = GpuNetwork.prototype;
    vi.spyOn(GpuNetwork.prototype, 'logits').mockImplementation(async function (this: GpuNetwork, input) {
      return (await logits.call(this, input)).map((logit) => 1.01 * logit);
    });
    const diarizer = await open();
    expect(diarizer.backend).toMatchObject({ name: 'wasm', reason: expect.stringMatching(/WebGPU failed its self-check: stage logits deviates/) as string });
    expect(diarizer.backend!.selfCheck!.map(({ backend, passed }) => [backend, passed])).toEqual([['webgpu', false], ['wasm', true]]);
    diarizer.dispose();
    vi.restoreAllMocks();
    const opened = vi.spyOn(GpuNetwork, 'open');
    const again = await open();
    expect(again.backend!.name).toBe('wasm');
    expect(opened).not.toHaveBeenCalled();
    again.dispose();
    const trusting = await open({ trustGpu: true });
    expect(trusting.backend).toMatchObject({ name: 'webgpu', selfCheck: null, reason: 'WebGPU was requested, without a self-check' });
    trusting.dispose();
    remembered.clear();
    for (const [key, value] of before) remembered.set(key, value);
  });

  test('is not used if its filterbank fails the self-check, and WASM has the result of an undisturbed run', async () => {
    const before = new Map(remembered);
    remembered.clear();
    const plain = await open({ backend: 'wasm' });
    const expected = await run(plain);
    plain.dispose();
    // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its class
    const { create } = GpuFbank;
    vi.spyOn(GpuFbank, 'create').mockImplementation((device, facts, ...more) => create.call(GpuFbank, device, { ...facts, preemphasis: 0.96 }, ...more));
    const diarizer = await open();
    expect(diarizer.backend).toMatchObject({ name: 'wasm', reason: expect.stringMatching(/WebGPU failed its self-check: stage fbank deviates/) as string });
    const { result, probabilities } = await run(diarizer);
    expect(probabilities).toEqual(expected.probabilities);
    expect(result.turns).toEqual(expected.result.turns);
    diarizer.dispose();
    remembered.clear();
    for (const [key, value] of before) remembered.set(key, value);
  });

  test('computes mel frames on the GPU', async () => {
    const embedded = vi.spyOn(GpuFbank.prototype, 'encode');
    const diarizer = await open();
    embedded.mockClear();
    await run(diarizer);
    expect(embedded).toHaveBeenCalledTimes(1);
    diarizer.dispose();
  });

  describe('in a run', () => {
    let plain: Promise<{ readonly gpu: Run; readonly wasm: Run }> | undefined;
    /** Undisturbed runs on both backends. */
    const undisturbed = (): NonNullable<typeof plain> => (plain ??= (async () => {
      // One after another, because they share the worker of this thread.
      const runOn = async (backend: 'webgpu' | 'wasm'): Promise<Run> => {
        const diarizer = await open({ backend });
        expect(diarizer.backend!.name).toBe(backend);
        const result = await run(diarizer);
        diarizer.dispose();
        return result;
      };
      return { gpu: await runOn('webgpu'), wasm: await runOn('wasm') };
    })());

    /** Makes calls of `push` fail, by their numbers from 0. */
    function planFaults(code: 'gpu-lost' | 'gpu-memory' | 'gpu-wrong', numbers: readonly number[]): void {
      const service = served.get('sortformer') as SortformerWorkerApi;
      let pushes = 0;
      const push = service.push.bind(service);
      vi.spyOn(service, 'push').mockImplementation((block) => {
        if (numbers.includes(pushes++)) throw new VoxlaneError({ code, problem: 'planted' });
        return push(block);
      });
    }

    test.each([
      ['gpu-lost', [4], 'webgpu'],
      ['gpu-lost', [4, 9], 'wasm'],
      ['gpu-wrong', [4], 'webgpu'],
      ['gpu-wrong', [4, 9], 'wasm'],
      ['gpu-memory', [4], 'wasm'],
    ] as const)('%s in the calls %j ends on %s with the result of an undisturbed run', async (code, numbers, name) => {
      const expected = (await undisturbed())[name === 'webgpu' ? 'gpu' : 'wasm'];
      const diarizer = await open();
      planFaults(code, numbers);
      const { result, probabilities } = await run(diarizer, inPieces());
      expect(result.backend.name).toBe(name);
      if (name === 'wasm') expect(result.backend.reason).toContain('WebGPU failed in mid-run (planted)');
      expect(probabilities).toEqual(expected.probabilities);
      expect(result.turns).toEqual(expected.result.turns);
      diarizer.dispose();
    });

    test('a device that is lost is replaced', async () => {
      const { gpu: expected } = await undisturbed();
      const requested = vi.spyOn(GPUAdapter.prototype, 'requestDevice');
      const diarizer = await open();
      const devices = await Promise.all(requested.mock.results.map(({ value }) => value as Promise<GPUDevice>));
      let isLost = false;
      const { result, probabilities } = await run(diarizer, samples, {
        hook: ({ stage, artifact }) => {
          if (stage !== 'segmentation' || !artifact || isLost) return;
          isLost = true;
          for (const device of devices) device.destroy();
        },
      });
      expect(isLost).toBe(true);
      expect(requested.mock.calls.length).toBeGreaterThan(devices.length);
      expect(result.backend.name).toBe('webgpu');
      expect(probabilities).toEqual(expected.probabilities);
      diarizer.dispose();
    });

    test('wrong values that the self-check shows end on WASM', async () => {
      const { wasm: expected } = await undisturbed();
      const diarizer = await open();
      vi.spyOn(GpuNetwork.prototype, 'logits').mockImplementation(() => Promise.reject(new VoxlaneError({ code: 'gpu-wrong', problem: 'The logits are wrong' })));
      const { result, probabilities } = await run(diarizer);
      expect(result.backend).toMatchObject({ name: 'wasm', reason: expect.stringContaining('WebGPU failed its self-check: logits (The logits are wrong)') as string });
      expect(probabilities).toEqual(expected.probabilities);
      diarizer.dispose();
      vi.restoreAllMocks();
      const again = await open();
      expect(again.backend!.name).toBe('wasm');
      again.dispose();
    });
  });
});
