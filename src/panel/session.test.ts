import { describe, expect, it, vi } from 'vitest';
import type { AuditReport } from '../compare/report';
import type { Pair, StagePicture } from '../compare/picture';
import type { StepsReport } from '../compare/steps/stepsReport';
import type { Opened } from '../engine/comparator';
import { VoxlaneError } from '../util/errors';
import { createStore, type Store } from '../ui-kit/store';
import { type ComparisonEngine, Session } from './session';
import { INITIAL_STATE, reduce, stateName, type Action, type State } from './state';
import { report } from '../../test/compare/reports';
import { opened, PICTURE } from '../../test/app/compareReports';

const STAGES = [{ name: 'a' }, { name: 'b' }];
const LOST = new VoxlaneError({ code: 'gpu-lost', problem: 'The device was lost' });

/** A model with the steps 0 and 3. */
const withSteps = (selected: number): Opened => ({ ...opened('a', 'b'), steps: { selected, recorded: [{ index: 0, firstFrame: 0 }, { index: 3, firstFrame: 9 }] } });

function fakeEngine(change: Partial<ComparisonEngine> = {}): ComparisonEngine {
  return {
    open: () => Promise.resolve(opened('a', 'b')),
    openShipped: () => Promise.resolve(opened('a', 'b')),
    mapStage: () => Promise.resolve(opened('a', 'b')),
    selectStep: (index) => Promise.resolve(withSteps(index)),
    compareSteps: (backend) => Promise.resolve<StepsReport>({ model: 'm', backend, mode: 'offline', verdict: 'pass', first: null, steps: [], decisions: null, causes: [] }),
    compare: (backend) => Promise.resolve(report(backend, STAGES)),
    between: () => Promise.resolve([{ ...report('wasm', STAGES).stages[0]! }]),
    picture: () => Promise.resolve(PICTURE),
    audit: () => Promise.resolve<AuditReport>({ model: 'm', weights: [], checkpoint: null, numFlagged: 0 }),
    bisect: () => Promise.reject(LOST),
    bugReport: () => Promise.resolve(new Uint8Array()),
    environment: () => Promise.resolve({ browser: 'a test' }),
    dispose: () => undefined,
    ...change,
  };
}

function start(engine: Partial<ComparisonEngine> = {}): { session: Session; store: Store<State, Action>; seen: State[] } {
  const seen: State[] = [];
  const store = createStore(reduce, INITIAL_STATE, (next) => seen.push(next));
  return { session: new Session(() => fakeEngine(engine), store), store, seen };
}

const settled = (store: Store<State, Action>): Promise<void> =>
  vi.waitFor(() => {
    expect(store.get().job).toBeNull();
  });

async function openedSession(engine: Partial<ComparisonEngine> = {}): Promise<ReturnType<typeof start>> {
  const started = start(engine);
  started.session.open('goldens.zip', () => Promise.resolve([]));
  await settled(started.store);
  return started;
}

describe('the steps of a model with a state', () => {
  it('are compared once per backend, and each selected step again', async () => {
    const compareSteps = vi.fn<ComparisonEngine['compareSteps']>((backend) => fakeEngine().compareSteps(backend));
    const compare = vi.fn<ComparisonEngine['compare']>((backend) => fakeEngine().compare(backend));
    const { session, store } = await openedSession({ open: () => Promise.resolve(withSteps(0)), compareSteps, compare });
    store.dispatch({ type: 'choice-changed', choice: { backends: 'wasm' } });
    session.compare();
    await settled(store);
    expect(store.get().steps.wasm?.verdict).toBe('pass');
    session.selectStep(3);
    await vi.waitFor(() => { expect(compare).toHaveBeenCalledTimes(2); });
    await settled(store);
    expect(store.get().opened?.steps?.selected).toBe(3);
    expect(store.get().reports.wasm).not.toBeNull();
    expect(compareSteps).toHaveBeenCalledTimes(1);
  });

  it('are compared again with the weights in another form, from the same files', async () => {
    const open = vi.fn<ComparisonEngine['open']>(() => Promise.resolve(withSteps(0)));
    const compareSteps = vi.fn<ComparisonEngine['compareSteps']>((backend) => fakeEngine().compareSteps(backend));
    const { session, store } = start({ open, compareSteps });
    const files = [new File([], 'steps.zip')];
    session.open('steps.zip', () => Promise.resolve(files));
    await settled(store);
    expect(store.get().form).toBe('float32');
    session.chooseForm('float16');
    await settled(store);
    expect(compareSteps).not.toHaveBeenCalled();
    store.dispatch({ type: 'choice-changed', choice: { backends: 'wasm' } });
    session.compare();
    await settled(store);
    session.chooseForm('int8');
    await vi.waitFor(() => { expect(compareSteps).toHaveBeenCalledTimes(2); });
    await settled(store);
    expect(open.mock.calls.map(([opened, options]) => [opened, options?.form])).toEqual([[files, undefined], [files, 'float16'], [files, 'int8']]);
    expect(store.get().form).toBe('int8');
    expect(store.get().steps.wasm).toBeDefined();
  });

  it('are only selected before the first comparison', async () => {
    const compare = vi.fn<ComparisonEngine['compare']>((backend) => fakeEngine().compare(backend));
    const { session, store } = await openedSession({ open: () => Promise.resolve(withSteps(0)), compare });
    session.selectStep(3);
    await settled(store);
    expect(store.get().opened?.steps?.selected).toBe(3);
    expect(compare).not.toHaveBeenCalled();
  });
});

describe('comparing', () => {
  it('runs both backends and then compares them with each other', async () => {
    const { session, store } = await openedSession();
    session.compare();
    await settled(store);
    const { reports, between, environment } = store.get();
    expect([reports.wasm?.backend, reports.webgpu?.backend]).toEqual(['wasm', 'webgpu']);
    expect(between).toHaveLength(1);
    expect(environment).toEqual({ browser: 'a test' });
  });

  it('also compares the backends with each other after separate runs', async () => {
    const between = vi.fn(() => Promise.resolve([]));
    const { session, store } = await openedSession({ between });
    for (const backends of ['wasm', 'webgpu'] as const) {
      store.dispatch({ type: 'choice-changed', choice: { backends } });
      session.compare();
      await settled(store);
    }
    expect(between).toHaveBeenCalledTimes(1);
  });

  it('keeps the WASM report if WebGPU fails', async () => {
    const { session, store } = await openedSession({
      compare: (backend) => (backend === 'wasm' ? Promise.resolve(report('wasm', STAGES)) : Promise.reject(LOST)),
    });
    session.compare();
    await settled(store);
    expect(store.get()).toMatchObject({ failure: { code: 'gpu-lost' }, failedJob: 'compare', reports: { webgpu: null } });
    expect(store.get().reports.wasm?.verdict).toBe('pass');
  });

  it('includes the backend in each step and passes on the options', async () => {
    const compare = vi.fn<ComparisonEngine['compare']>((backend, options) => {
      options?.onProgress?.({ step: 'lstm', completed: 1, total: 2 });
      return Promise.resolve(report(backend, STAGES));
    });
    const { session, store, seen } = await openedSession({ compare });
    store.dispatch({ type: 'choice-changed', choice: { isThorough: true } });
    session.compare();
    await settled(store);
    const steps = seen.flatMap(({ job }) => job?.progress?.step ?? []);
    expect(steps).toContain('WASM: lstm');
    expect(steps).toContain('WebGPU: lstm');
    expect(compare.mock.calls.map(([, options]) => options?.thorough)).toEqual([true, true]);
  });

  it('compares a bundled model as soon as it is open', async () => {
    const { session, store } = start();
    session.openShipped('segmentation-3.0');
    await vi.waitFor(() => {
      expect(stateName(store.get())).toBe('done');
    });
    expect(store.get().reports.wasm).not.toBeNull();
  });

  it('does not compare it if opening failed', async () => {
    const compare = vi.fn<ComparisonEngine['compare']>();
    const { session, store } = start({ openShipped: () => Promise.reject(LOST), compare });
    session.openShipped('segmentation-3.0');
    await settled(store);
    await Promise.resolve();
    expect(compare).not.toHaveBeenCalled();
    expect(store.get().failure?.problem).toBe('The device was lost');
  });
});

describe('canceling', () => {
  it('takes effect at once, but the next job waits until the engine has wound down', async () => {
    const order: string[] = [];
    let windDown = (): void => undefined;
    const { session, store } = await openedSession({
      compare: (_, options) =>
        new Promise((_, reject) => {
          options?.signal?.addEventListener('abort', () => {
            windDown = () => {
              order.push('compare ended');
              reject(new VoxlaneError({ code: 'cancelled', problem: 'Cancelled' }));
            };
          });
        }),
      audit: () => {
        order.push('audit began');
        return Promise.resolve<AuditReport>({ model: 'm', weights: [], checkpoint: null, numFlagged: 0 });
      },
    });
    session.compare();
    await Promise.resolve();
    session.cancel();
    expect(store.get()).toMatchObject({ job: null, notice: 'cancelled', failure: null });
    session.audit();
    await new Promise((resolve) => setTimeout(resolve));
    expect(order).toEqual([]);
    windDown();
    await settled(store);
    expect(order).toEqual(['compare ended', 'audit began']);
    expect(store.get().failure).toBeNull();
  });

  it('prevents a queued job from starting', async () => {
    const audit = vi.fn<ComparisonEngine['audit']>();
    const { session, store } = await openedSession({ audit });
    session.audit();
    session.cancel();
    await settled(store);
    await new Promise((resolve) => setTimeout(resolve));
    expect(audit).not.toHaveBeenCalled();
  });
});

describe('pictures', () => {
  it('of a previous selection are dropped, and only the latest request is drawn', async () => {
    const asked: (number | undefined)[] = [];
    const answers: ((picture: StagePicture) => void)[] = [];
    const picture = (_stage: string, _pair: Pair, column?: number): Promise<StagePicture> => {
      asked.push(column);
      return new Promise((resolve) => answers.push(resolve));
    };
    const { session, store } = await openedSession({ picture });
    const wanted = { stage: 'a', pair: 'golden-wasm' } as const;
    for (const column of [1, 2, 3]) session.draw({ ...wanted, column });
    expect(asked).toEqual([1]);
    answers[0]?.({ ...PICTURE, maxError: 1 });
    await vi.waitFor(() => {
      expect(asked).toEqual([1, 3]);
    });
    expect(store.get().picture).toBeNull();
    answers[1]?.({ ...PICTURE, maxError: 3 });
    await vi.waitFor(() => {
      expect(store.get().picture?.maxError).toBe(3);
    });
  });

  it('that fail show the reason and keep the comparison', async () => {
    const { session, store } = await openedSession({ picture: () => Promise.reject(LOST) });
    session.compare();
    await settled(store);
    session.draw({ stage: 'a', pair: 'golden-wasm', column: null });
    await vi.waitFor(() => {
      expect(store.get().pictureFailure?.problem).toBe('The device was lost');
    });
    expect(store.get().failure).toBeNull();
    expect(store.get().reports.wasm).not.toBeNull();
  });
});
