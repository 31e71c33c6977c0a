import { describe, expect, it, vi } from 'vitest';
import type { DownloadFacts } from '../../engine/downloadFacts';
import type { DiarizationResult, DiarizeOptions, Speed } from '../../engine/types';
import { VoxlaneError } from '../../util/errors';
import { type Engine, type EngineFactory, EngineKeeper, type ModelFile } from '../engineKeeper';
import { Session } from '../session';
import { INITIAL_STATE, reduce, type Action, type Source, type State } from '../state';
import { createStore, type Store } from '../../ui-kit/store';
import { sortFiles } from '../workspace/openFiles';
import type { PresetChoice } from './choices';
import { type ModelLibrary, ModelsSession } from './session';
import { presetsWith, STORED } from '../../../test/app/presets';

const FACTS: DownloadFacts = { repository: 'a/b', revision: 'e'.repeat(40), address: 'https://hub.example/a/b', kept: [{ backends: ['wasm', 'webgpu'], bytes: 100, isConverted: true }] };

type EngineOptions = Parameters<EngineFactory>[0];

const source: Source = { name: 'a.wav', load: () => Promise.resolve(new Blob()) };
const file: ModelFile = { name: 'mine.onnx', blob: new Blob(), isTrusted: false };
const result: DiarizationResult = {
  durationSeconds: 1,
  turns: [],
  confidenceKind: 'margin',
  exclusiveTurns: [],
  speakers: [],
  timings: {},
  backend: { name: 'wasm', adapter: null, threads: 1, reason: '', selfCheck: null },
  preset: 'community-1',
  speed: 'exact',
  speakerCount: { value: 0, alternatives: [], unmet: null },
  clustering: 'preset',
  minDurationOn: 0,
  minDurationOff: 0,
  embeddingModel: '',
  models: [],
  modelNote: null,
  tracks: [],
  notes: [],
};
const cancelled = new VoxlaneError({ code: 'cancelled', problem: 'Cancelled' });
const unknown = new VoxlaneError({ code: 'model-altered', problem: 'Unknown hash' });

/** Creates engines. The test ends each start by hand unless it sets an outcome in advance. */
class Factory {
  readonly asked: EngineOptions[] = [];
  readonly runs: DiarizeOptions[] = [];
  readonly engines: (Engine & { disposed: boolean })[] = [];
  /** Ends the current start. */
  finish: (failure?: Error) => void = () => undefined;

  readonly make: EngineFactory = (options) => {
    this.asked.push(options);
    const { runs } = this;
    return new Promise((resolve, reject) => {
      this.finish = (failure) => {
        if (failure) {
          reject(failure);
          return;
        }
        const engine = {
          disposed: false,
          diarize: (_: Blob, run: DiarizeOptions) => {
            runs.push(run);
            return Promise.resolve(result);
          },
          dispose() {
            this.disposed = true;
          },
        };
        this.engines.push(engine);
        resolve(engine);
      };
      options.signal?.addEventListener('abort', () => {
        reject(cancelled);
      });
    });
  };
}

interface Page {
  readonly factory: Factory;
  readonly session: Session;
  readonly models: ModelsSession;
  readonly store: Store<State, Action>;
  readonly remembered: PresetChoice[];
  /** Number of announced changes of the stored models. */
  readonly numChanges: () => number;
}

function page(library: Partial<ModelLibrary> = {}): Page {
  const factory = new Factory();
  const store = createStore(reduce, INITIAL_STATE, () => undefined);
  const keeper = new EngineKeeper(factory.make, (download) => {
    store.dispatch({ type: 'download-progressed', download });
  });
  const remembered: PresetChoice[] = [];
  const full: ModelLibrary = {
    presets: () => Promise.resolve(presetsWith(false)),
    stored: () => Promise.resolve([]),
    describe: () => Promise.resolve(FACTS),
    delete: () => Promise.resolve(),
    dropOriginal: () => Promise.resolve(),
    forgetGpuChecks: () => Promise.resolve(),
    ...library,
  };
  let numChanges = 0;
  const models = new ModelsSession(full, keeper, store, (preset) => remembered.push(preset), () => { numChanges++; });
  return { factory, session: new Session(keeper, store), models, store, remembered, numChanges: () => numChanges };
}

const phase = (store: Store<State, Action>, kind: State['phase']['kind']): Promise<void> =>
  vi.waitFor(() => {
    expect(store.get().phase.kind).toBe(kind);
  });

describe('downloading', () => {
  it('creates the engine for the next recording and remembers the choice', async () => {
    const { factory, session, models, store, remembered } = page();
    const preparing = models.prepare('community-1', null);
    expect(factory.asked[0]).toMatchObject({ preset: 'community-1', backend: 'auto' });
    factory.asked[0]?.onDownload?.({ model: 'wespeaker', step: 'download', receivedBytes: 1, totalBytes: 2 });
    expect(store.get().models.download).toMatchObject({ receivedBytes: 1 });
    factory.finish();
    await preparing;
    expect(remembered).toEqual(['community-1']);
    session.start(source);
    await phase(store, 'done');
    expect(factory.asked).toHaveLength(1);
  });

  it('is shared with a recording started in the meantime', async () => {
    const { factory, session, models, store } = page();
    const preparing = models.prepare('community-1', null);
    session.start(source);
    await Promise.resolve();
    expect(store.get().phase.kind).toBe('loading');
    factory.finish();
    await preparing;
    await phase(store, 'done');
    expect(factory.asked).toHaveLength(1);
    expect(factory.engines[0]?.disposed).toBe(false);
  });

  it('stops at once, and its late events are ignored', async () => {
    const { factory, models, store, remembered } = page();
    const preparing = models.prepare('community-1', null);
    models.stop();
    expect(factory.asked[0]?.signal?.aborted).toBe(true);
    expect(store.get().models.preparing).toBeNull();
    factory.asked[0]?.onDownload?.({ model: 'wespeaker', step: 'download', receivedBytes: 1, totalBytes: 2 });
    expect(store.get().models.download).toBeNull();
    await preparing;
    expect(remembered).toEqual([]);
    expect(store.get().models.failure).toBeNull();
  });

  it('ends with the recording that waits for it', async () => {
    const { factory, session, models, store } = page();
    const preparing = models.prepare('community-1', null);
    session.start(source);
    session.cancel();
    await preparing;
    expect(factory.asked[0]?.signal?.aborted).toBe(true);
    expect(store.get()).toMatchObject({ phase: { kind: 'empty' }, models: { preparing: null } });
  });

  it('for a recording that cannot be read does not continue in the background', async () => {
    const { factory, session, store } = page();
    session.start({ name: 'gone', load: () => Promise.reject(new Error('Gone')) });
    await phase(store, 'error');
    expect(factory.asked[0]?.signal?.aborted).toBe(true);
  });
});

it('a different speed needs a new engine, the same speed does not', async () => {
  const { factory, session, store } = page();
  const run = async (speed: Speed, isMade: boolean): Promise<void> => {
    store.dispatch({ type: 'options-changed', options: { speed } });
    const asked = factory.asked.length;
    session.start(source);
    if (isMade) {
      await vi.waitFor(() => {
        expect(factory.asked).toHaveLength(asked + 1);
      });
      factory.finish();
    }
    await phase(store, 'done');
  };
  await run('exact', true);
  await run('exact', false);
  await run('fast', true);
  expect(factory.asked.map(({ speed }) => speed)).toEqual(['exact', 'fast']);
  expect(factory.engines.map(({ disposed }) => disposed)).toEqual([true, false]);
});

it('the preview of a run reaches the state', async () => {
  const store = createStore(reduce, INITIAL_STATE, () => undefined);
  const preview = { analyzedSeconds: 39, turns: [] };
  const keeper = new EngineKeeper(
    () =>
      Promise.resolve({
        diarize: (_, { onPreview }) => {
          onPreview?.(preview);
          return new Promise(() => undefined);
        },
        dispose: () => undefined,
      }),
    () => undefined,
  );
  new Session(keeper, store).start(source);
  await phase(store, 'running');
  expect(store.get().phase).toMatchObject({ job: { preview } });
});

it('progress reported synchronously by a start is received', async () => {
  const heard: number[] = [];
  const keeper = new EngineKeeper(
    ({ onDownload }) => {
      onDownload?.({ model: 'wespeaker', step: 'download', receivedBytes: 1, totalBytes: 2 });
      return Promise.reject(cancelled);
    },
    ({ receivedBytes }) => heard.push(receivedBytes),
  );
  await expect(keeper.get({ backend: 'auto', preset: 'auto', speed: 'exact', file: null })).rejects.toBe(cancelled);
  expect(heard).toEqual([1]);
});

describe('a model file', () => {
  it('with an unknown hash waits for the answer with the recording pending, and is then trusted', async () => {
    const { factory, session, models, store } = page();
    const preparing = models.prepare('community-1', file);
    session.start(source);
    await Promise.resolve();
    expect(factory.asked[0]).toMatchObject({ modelFile: file.blob, trustUnknownModel: false });
    factory.finish(unknown);
    await preparing;
    await phase(store, 'error');
    expect(store.get()).toMatchObject({ phase: { source }, models: { question: { file } }, options: { preset: 'auto' } });

    const trusting = models.trust();
    session.start(source);
    expect(factory.asked[1]).toMatchObject({ modelFile: file.blob, trustUnknownModel: true });
    factory.finish();
    await trusting;
    await phase(store, 'done');
    expect(factory.asked).toHaveLength(2);
  });

  it.each([true, false])('is remembered only if it is stored: %s', async (isKept) => {
    const { factory, models, store, remembered } = page({ presets: () => Promise.resolve(presetsWith(isKept)) });
    const preparing = models.prepare('community-1', file);
    factory.finish();
    await preparing;
    expect(store.get().options.preset).toBe('community-1');
    expect(remembered).toEqual(isKept ? ['community-1'] : []);
  });

  it('replaces a download', async () => {
    const { factory, models, store } = page();
    const first = models.prepare('community-1', null);
    const second = models.prepare('community-1', file);
    factory.finish();
    await Promise.all([first, second]);
    expect(factory.asked[0]?.signal?.aborted).toBe(true);
    expect(store.get()).toMatchObject({ options: { preset: 'community-1' }, models: { files: { 'community-1': file }, preparing: null } });
  });
});

describe('deleting', () => {
  it('disposes of the engine that has the model in memory', async () => {
    const deleted: string[] = [];
    const { factory, models, store, remembered } = page({
      delete: (id) => Promise.resolve(void deleted.push(id)),
    });
    const preparing = models.prepare('community-1', null);
    // Not during a download, which may be of this model.
    await models.delete(STORED.id);
    expect(deleted).toEqual([]);
    factory.finish();
    await preparing;
    await models.delete(STORED.id);
    expect(deleted).toEqual([STORED.id]);
    expect(factory.engines[0]?.disposed).toBe(true);
    expect(store.get().options.preset).toBe('auto');
    expect(remembered.at(-1)).toBe('auto');
  });

  it('reports why it failed', async () => {
    const { models, store } = page({ delete: () => Promise.reject(new Error('Blocked')) });
    await models.delete(STORED.id);
    expect(store.get().models.failure).toMatchObject({ during: 'deletion', failure: { details: 'Error: Blocked' } });
  });
});

it('a repeated GPU check drops the current engine, and the next one checks', async () => {
  let forgotten = 0;
  const { factory, models, store } = page({ forgetGpuChecks: () => Promise.resolve(void forgotten++) });
  const preparing = models.prepare('community-1', null);
  // Not while an engine is being created.
  await models.checkGpuAgain();
  expect(forgotten).toBe(0);
  factory.finish();
  await preparing;
  await models.checkGpuAgain();
  await Promise.resolve();
  expect(forgotten).toBe(1);
  expect(factory.engines[0]?.disposed).toBe(true);
  expect(store.get().notice).toMatchObject({ said: expect.stringContaining('GPU') as string });
});

it('a browser that blocks storage does not cause a failure', async () => {
  const { models, store } = page({ stored: () => Promise.reject(new Error('Blocked')) });
  await models.refresh();
  expect(store.get()).toMatchObject({ phase: { kind: 'empty' }, models: { listFailure: { details: 'Error: Blocked' } } });
});

it('models and recordings are distinguished by name', () => {
  const files = ['a.WAV', 'b.ONNX', 'c.onnx.wav', 'model.safetensors'].map((name) => new File([], name));
  const { models, recordings } = sortFiles(files);
  expect(models.map(({ name }) => name)).toEqual(['b.ONNX', 'model.safetensors']);
  expect(recordings.map(({ name }) => name)).toEqual(['a.WAV', 'c.onnx.wav']);
});

describe('choosing a preset', () => {
  it('reads the facts of its download, and downloads and remembers nothing', async () => {
    const { factory, models, store, remembered } = page();
    await models.refresh();
    store.dispatch({ type: 'options-changed', options: { preset: 'nemotron' } });
    await models.choose('nemotron');
    expect(store.get().models.facts.nemotron).toEqual(FACTS);
    await models.refresh();
    expect(factory.asked).toEqual([]);
    expect(remembered).toEqual(['auto']);
    expect(store.get().options.preset).toBe('nemotron');
  });

  it('is remembered once its model is here, and forgotten if the model is gone on the next visit', async () => {
    const kept = page({ presets: () => Promise.resolve(presetsWith(true)) });
    kept.store.dispatch({ type: 'options-changed', options: { preset: 'nemotron' } });
    await kept.models.refresh();
    expect(kept.remembered).toEqual(['nemotron']);
    const gone = page();
    gone.store.dispatch({ type: 'options-changed', options: { preset: 'nemotron' } });
    await gone.models.refresh();
    expect(gone.store.get().options.preset).toBe('auto');
  });

  it('that lacks options leaves them out of the engine and the run, and keeps the choices', async () => {
    const { factory, models, session, store } = page();
    store.dispatch({ type: 'options-changed', options: { preset: 'nemotron', speed: 'fast', backend: 'webgpu', speakerMode: 'exact' } });
    const preparing = models.prepare('nemotron', null);
    factory.finish();
    await preparing;
    session.start(source);
    await phase(store, 'done');
    expect(factory.asked).toEqual([expect.objectContaining({ preset: 'nemotron', speed: 'exact', backend: 'webgpu' })]);
    expect(factory.runs).toEqual([expect.objectContaining({ speakers: 2 })]);
    expect(store.get().options).toMatchObject({ speed: 'fast', backend: 'webgpu' });
  });
});

it('the original of a model is deleted on request, and the models are listed again', async () => {
  const dropped: string[] = [];
  const { models, store } = page({ dropOriginal: (id) => Promise.resolve(void dropped.push(id)), stored: () => Promise.resolve([STORED]) });
  await models.dropOriginal(STORED.id);
  expect(dropped).toEqual([STORED.id]);
  expect(store.get().models.stored).toEqual([STORED]);
});

it('other tabs get a message for each change of the stored models, and of nothing else', async () => {
  const { factory, models, numChanges } = page({ stored: () => Promise.resolve([STORED]) });
  await models.refresh();
  expect(numChanges()).toBe(0);
  await models.dropOriginal(STORED.id);
  await models.delete(STORED.id);
  expect(numChanges()).toBe(2);
  const preparing = models.prepare('community-1', null);
  expect(numChanges()).toBe(2);
  factory.finish();
  await preparing;
  expect(numChanges()).toBe(3);
  const refused = page({ delete: () => Promise.reject(new Error('Blocked')) });
  await refused.models.delete(STORED.id);
  expect(refused.numChanges()).toBe(0);
});

it('a preset whose model another tab has deleted is not used: the next run would download it unasked', async () => {
  let isHere = true;
  const { models, store } = page({ presets: () => Promise.resolve(presetsWith(isHere)), stored: () => Promise.resolve(isHere ? [STORED] : []) });
  store.dispatch({ type: 'options-changed', options: { preset: 'community-1' } });
  await models.refresh();
  expect(store.get().options.preset).toBe('community-1');
  isHere = false;
  await models.refresh();
  expect(store.get().options.preset).toBe('auto');
});
