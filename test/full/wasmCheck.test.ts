/**
 * The self-check on WASM with the bundled models in Node, from the first start to the turns. The worker code runs in this
 * thread. src/engine/trust.test.ts covers all decisions at startup.
 */
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CampplusNet } from '../../src/embedding/campplusNet';
import { encodeOnnx, parseOnnx } from '../../src/onnx/model';
import { copyWith } from '../../src/onnx/nodes';
import { startEngine, type Engine } from '../../src/engine/engine';
import { checkRunOptions, type CheckedDiarizerOptions } from '../../src/engine/options';
import { runPipeline } from '../../src/engine/run';
import { CAMPPLUS } from '../../src/engine/settings';
import { startTrustedEngine } from '../../src/engine/selfCheck';
import { PyannetNet } from '../../src/segmentation/pyannetNet';
import type { VoxlaneError } from '../../src/util/errors';
import { fetchFiles } from '../gpu/openInNode';
import { withSwappedGates } from '../onnx/swappedGates';

/** Services of the workers, by worker name. */
const served = vi.hoisted(() => new Map<string, object>());
const loading = vi.hoisted(() => ({ name: '' }));
vi.mock(import('../../workers/protocol'), async (original) => ({
  ...(await original()),
  serve: (api: object) => { served.set(loading.name, api); },
}));
vi.mock(import('../../workers/spawn'), async (original) => {
  const spawn = (name: string) => () => new ThreadlessHandle(name);
  return {
    ...((await original()) as object),
    spawnDecodeWorker: spawn('decode'),
    spawnSegmentationWorker: spawn('segmentation'),
    spawnEmbeddingWorker: spawn('embedding'),
    spawnClusteringWorker: spawn('clustering'),
  } as never;
});

/** Fake worker handle. There is only one worker of each kind at a time, because a start on one core uses one and terminates the previous one. */
class ThreadlessHandle {
  end: VoxlaneError | null = null;
  readonly vanished = false;

  constructor(private readonly name: string) {}

  async call<Result>(use: (api: object) => Promise<Result>): Promise<Result> {
    if (this.end) throw this.end;
    return use(served.get(this.name)!);
  }

  terminate(reason: VoxlaneError): void {
    this.end ??= reason;
  }
}

for (const name of ['decode', 'segmentation', 'embedding', 'clustering'] as const) {
  loading.name = name;
  await import(`../../workers/${name}.worker.ts`);
}

const SAMPLE_RATE = 16_000;
const folder = (path: string): string => new URL(`../../${path}/`, import.meta.url).href;
const options = {
  backend: 'wasm',
  threads: 1,
  speed: 'exact',
  clustering: 'preset',
  trustGpu: false,
  modelsBase: folder('models'),
  runtimeBase: folder('node_modules/onnxruntime-web/dist'),
  goldensBase: folder('public/goldens'),
  hub: null,
  trustUnknownModel: false,
} as CheckedDiarizerOptions;

/** The first seconds of the sample with both speakers. */
function speech(): Float32Array {
  const file = readFileSync('public/sample.wav');
  const start = file.indexOf('data') + 8;
  return Float32Array.from({ length: 14 * SAMPLE_RATE }, (_, i) => file.readInt16LE(start + 2 * i) / 32768);
}

/** Turns of an engine, with start and end in hundredths of a second. */
async function turnsOf(engine: Engine): Promise<unknown[]> {
  const input = { kind: 'samples', samples: speech(), sampleRate: SAMPLE_RATE } as const;
  const { turns } = await runPipeline(engine, input, checkRunOptions({}), () => undefined);
  return turns.map(({ startSeconds, endSeconds, speaker }) => [Math.round(100 * startSeconds), Math.round(100 * endSeconds), speaker]);
}

/** The CAM++ file with a flipped sign in every third weight of all convolutions. */
function disturbedCampplus(): Uint8Array {
  const model = parseOnnx(readFileSync('models/campplus-zh-en/model.onnx'), 'model.onnx');
  const graph = model.graph!;
  const weights = new Set(graph.node.filter(({ opType }) => opType === 'Conv').map(({ input }) => input[1]));
  const initializer = graph.initializer.map((tensor) => {
    if (!weights.has(tensor.name)) return tensor;
    const values = new Float32Array(tensor.rawData.slice().buffer).map((value, i) => (i % 3 === 0 ? -value : value));
    return copyWith(tensor, { rawData: new Uint8Array(values.buffer) });
  });
  return encodeOnnx(copyWith(model, { graph: copyWith(graph, { initializer }) }));
}

beforeEach(() => {
  fetchFiles();
  vi.stubGlobal('navigator', { userAgent: `Node ${process.version}`, hardwareConcurrency: 1 });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const stagesOf = ({ backend }: Engine): unknown[] =>
  backend.selfCheck!.flatMap((check) => check.stages.map(({ stage, passed }) => [check.backend, stage, passed]));
const passing = (backend: string): unknown[] => ['classifier', 'fbank', 'embedding'].map((stage) => [backend, stage, true]);

let expectedTurns: unknown[] | undefined;
const expected = async (): Promise<unknown[]> => (expectedTurns ??= await turnsOf(await startTrustedEngine(options, CAMPPLUS)));

test('our kernels pass the self-check', async () => {
  const engine = await startTrustedEngine(options, CAMPPLUS);
  expect(stagesOf(engine)).toEqual(passing('kernels'));
  expect((await expected()).length).toBeGreaterThan(2);
});

test('with `fast`, our kernels pass it at the lengths of a run too', async () => {
  const engine = await startTrustedEngine({ ...options, speed: 'fast' }, CAMPPLUS);
  const stages = ['classifier', 'classifier (4 × 10 s)', 'fbank', 'embedding', 'embedding (10 s)', 'embedding (5 s)'];
  expect(stagesOf(engine)).toEqual(stages.map((stage) => ['kernels', stage, true]));
});

/** Kernels with wrong weights for one model. ONNX Runtime uses the correct file. */
const WRONG_WEIGHTS = [
  {
    name: 'gates of the recurrence',
    stage: 'classifier',
    plant: () => {
      const open = PyannetNet.open.bind(PyannetNet);
      vi.spyOn(PyannetNet, 'open').mockImplementation((_, facts) => open(withSwappedGates(), facts));
    },
  },
  {
    name: 'signs in the convolutions',
    stage: 'embedding',
    plant: () => {
      const open = CampplusNet.open.bind(CampplusNet);
      vi.spyOn(CampplusNet, 'open').mockImplementation((_, facts) => open(disturbedCampplus(), facts));
    },
  },
];

const BROKEN = [
  {
    name: 'no numbers',
    stage: 'classifier (The model output scores contains NaN or infinite values)',
    plant: () => {
      vi.spyOn(PyannetNet.prototype, 'trace').mockReturnValue({ data: new Float32Array(7).fill(NaN), shape: [1, 1, 7] });
    },
  },
  {
    name: 'a trap',
    stage: 'classifier (the kernel stopped: unreachable)',
    plant: () => {
      vi.spyOn(PyannetNet.prototype, 'trace').mockImplementation(() => { throw new WebAssembly.RuntimeError('unreachable'); });
    },
  },
];

/** Starts an engine and expects ONNX Runtime to run because our kernels fail in `stage`. */
async function startReplaced(stage: string): Promise<Engine> {
  const engine = await startTrustedEngine(options, CAMPPLUS);
  expect(stagesOf(engine)).toContainEqual(['kernels', stage, false]);
  expect(stagesOf(engine).slice(-3)).toEqual(passing('wasm'));
  expect(engine.backend.reason).toContain(`ONNX Runtime computes the models: Our WASM kernels failed their self-check: `);
  expect(engine.backend.reason).toContain(stage);
  return engine;
}

test.each(WRONG_WEIGHTS)('kernels with wrong $name, which would produce wrong turns, are replaced by ONNX Runtime with correct turns', async ({ stage, plant }) => {
  const right = await expected();
  plant();
  const unchecked = await startEngine(options, CAMPPLUS, { name: 'wasm', adapter: null, threads: 1, reason: '', selfCheck: null });
  expect(await turnsOf(unchecked)).not.toEqual(right);
  // No frame of this audio is a near tie, so both runtimes produce the same turns.
  expect(await turnsOf(await startReplaced(stage))).toEqual(right);
});

test.each(BROKEN)('kernels with $name are replaced by ONNX Runtime', async ({ stage, plant }) => {
  plant();
  await startReplaced(stage);
});

test('golden outputs of another checkpoint are not used for the check', async () => {
  const { fetch } = globalThis;
  const checkpoint = 'da85c29829d4002daedd676e012936488234d9255e65e86dfab9bec6b1729298';
  vi.stubGlobal('fetch', async (address: string) => {
    if (!address.endsWith('segmentation-3.0/manifest.json')) return fetch(address);
    return new Response((await (await fetch(address)).text()).replace(checkpoint, 'a'.repeat(64)));
  });
  const engine = await startTrustedEngine(options, CAMPPLUS);
  expect(stagesOf(engine)).toEqual(passing('kernels').slice(1));
  expect(engine.backend.reason).toMatch(/without a full self-check \(The golden outputs of segmentation-3\.0 belong to another checkpoint/);
});
