/**
 * How the packages start their workers: threads in Node, compiled scripts in browsers. Here, a pair of event emitters takes
 * the place of a thread.
 */
import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { VoxlaneError } from '../src/util/errors';
import { WorkerHandle } from './handle';
import { watchLife } from './nodeLife';
import { openWorker } from './openNodeWorker';
import * as packaged from './openPackagedWorker';
import type { WorkerName } from './openWorker';
import { moved, serve } from './protocol';

const NAMES: readonly WorkerName[] = ['clustering', 'compare', 'decode', 'embedding', 'segmentation', 'sortformer'];

const node = vi.hoisted(() => ({
  hasScripts: true,
  /** The caller's side of the thread that was started last. */
  thread: null as unknown,
  port: null as unknown,
}));

vi.mock(import('./life'), () => import('./nodeLife') as never);
vi.mock(import('node:fs'), async (original) => {
  const fs = await original();
  const existsSync: typeof fs.existsSync = (path) => (String(path).endsWith('.mjs') ? node.hasScripts : fs.existsSync(path));
  return { ...fs, existsSync };
});
vi.mock('node:worker_threads', async () => {
  const { EventEmitter: Emitter } = await import('node:events');
  const send = (to: () => unknown) => (data: unknown, transfer: readonly ArrayBuffer[] = []): void => {
    const copy: unknown = structuredClone(data, { transfer: [...transfer] });
    queueMicrotask(() => (to() as EventEmitter).emit('message', copy));
  };
  node.port = Object.assign(new Emitter(), { postMessage: send(() => node.thread) });
  class Worker extends Emitter {
    /** As of a started thread. */
    keepsAlive = true;
    isTerminated = false;
    readonly postMessage = send(() => node.port);
    constructor(readonly script: URL, readonly options: { readonly name: string; readonly execArgv: readonly string[] }) {
      super();
      node.thread = this;
    }
    ref(): void { this.keepsAlive = true; }
    unref(): void { this.keepsAlive = false; }
    terminate(): Promise<number> {
      this.isTerminated = true;
      return Promise.resolve(1);
    }
  }
  return { Worker, parentPort: node.port };
});

interface FakeThread extends EventEmitter {
  readonly script: URL;
  readonly options: { readonly name: string; readonly execArgv: readonly string[] };
  readonly keepsAlive: boolean;
  readonly isTerminated: boolean;
}
const thread = (): FakeThread => node.thread as FakeThread;

/** What the thread serves. */
const API = {
  sum: (values: Float32Array): Promise<number> => Promise.resolve(values.reduce((sum, value) => sum + value, 0)),
  waitFor: (milliseconds: number): Promise<string> => new Promise((resolve) => { setTimeout(resolve, milliseconds, `${milliseconds} ms`); }),
  refuse: (): Promise<never> => Promise.reject(new VoxlaneError({ code: 'options', problem: 'too many', expected: 'at most 3', remedy: 'pass fewer' })),
  fail: (): Promise<never> => Promise.reject(new TypeError('undefined is not a function')),
};
const open = (): WorkerHandle<typeof API> => new WorkerHandle<typeof API>(openWorker('clustering') as unknown as Worker, 'clustering');
const over = new VoxlaneError({ code: 'cancelled', problem: 'over' });

describe('a thread of Node', () => {
  beforeEach(async () => {
    node.hasScripts = true;
    vi.spyOn(console, 'error').mockReturnValue();
    // Gives this thread the globals of a worker.
    await import('./nodeThread');
  });
  afterEach(() => {
    vi.restoreAllMocks();
    (node.port as EventEmitter).removeAllListeners();
  });

  test('each worker has its script and name, and no flags of the process', () => {
    for (const name of NAMES) {
      openWorker(name);
      expect(thread().script.pathname).toMatch(new RegExp(`/workers/${name}\\.mjs$`));
      expect(thread().options).toEqual({ name: `voxlane ${name}`, execArgv: [] });
    }
  });

  test('a bundler that has lost the script is named, with the remedy', () => {
    node.hasScripts = false;
    for (const name of NAMES) {
      expect(() => openWorker(name)).toThrow(expect.objectContaining({ code: 'environment', problem: expect.stringContaining(name) as string, remedy: expect.stringContaining('external') as string }) as Error);
    }
  });

  test('the process stays alive exactly while a call is pending', async () => {
    const handle = open();
    serve(API);
    expect(thread().keepsAlive).toBe(false);
    const [first, second] = [handle.call((api) => api.waitFor(1)), handle.call((api) => api.waitFor(20))];
    await expect.poll(() => thread().keepsAlive).toBe(true);
    expect(await first).toBe('1 ms');
    expect(thread().keepsAlive).toBe(true);
    expect(await second).toBe('20 ms');
    expect(thread().keepsAlive).toBe(false);
    handle.terminate(over);
  });

  test('arrays are transferred, and errors arrive with their parts', async () => {
    const handle = open();
    serve(API);
    const values = Float32Array.of(1, 2, 3.5);
    expect(await handle.call((api) => api.sum(moved(values, values)))).toBe(6.5);
    expect(values).toHaveLength(0);
    await expect(handle.call((api) => api.refuse())).rejects.toMatchObject({ code: 'options', problem: 'too many', expected: 'at most 3', remedy: 'pass fewer' });
    expect(handle.end).toBeNull();
    // The state of a worker with an unexpected error is unknown.
    await expect(handle.call((api) => api.fail())).rejects.toMatchObject({ code: 'worker-failed', details: expect.stringContaining('undefined is not a function') as string });
    expect(thread().isTerminated).toBe(true);
    await expect(handle.call((api) => api.sum(Float32Array.of(1)))).rejects.toMatchObject({ code: 'worker-failed' });
  });

  test.each([
    ['ends by itself', 'exit', 0, /ended without an error/, true],
    ['throws an error', 'error', new RangeError('out of memory'), /could not start, or stopped/, false],
    ['receives an unreadable message', 'messageerror', undefined, /could not start, or stopped/, false],
  ] as const)('a thread that %s rejects its pending calls', async (_how, event, data, problem, vanished) => {
    const handle = open();
    serve(API);
    const pending = handle.call((api) => api.waitFor(1e6));
    await expect.poll(() => thread().keepsAlive).toBe(true);
    // The watch must still detect the end after the worker has started.
    thread().emit(event, data);
    await expect(pending).rejects.toMatchObject({ code: 'worker-failed', problem: expect.stringMatching(problem) as string });
    if (event === 'error') expect(handle.end!.details).toContain('out of memory');
    expect(handle.vanished).toBe(vanished);
    expect(thread()).toMatchObject({ keepsAlive: false, isTerminated: true });
  });

  test('a thread without a message in two minutes has never started; a stopped watch reports nothing', () => {
    vi.useFakeTimers();
    try {
      const ends: string[] = [];
      const watch = (name: string): { worker: EventTarget; stop: () => void } => {
        const worker = new EventTarget();
        return { worker, stop: watchLife(worker as Worker, (how) => { ends.push(`${name} ${how}`); }) };
      };
      const [, started, stopped] = [watch('silent'), watch('started'), watch('stopped')];
      started.worker.dispatchEvent(new Event('message'));
      stopped.stop();
      stopped.worker.dispatchEvent(new Event('close'));
      vi.advanceTimersByTime(119_000);
      expect(ends).toEqual([]);
      vi.advanceTimersByTime(1_000);
      expect(ends).toEqual(['silent never-started']);
      started.worker.dispatchEvent(new Event('close'));
      started.worker.dispatchEvent(new Event('close'));
      expect(ends).toEqual(['silent never-started', 'started ended']);
    } finally {
      vi.useRealTimers();
    }
  });

  test('a listener of the thread is called once per message, and not after its removal', () => {
    const received: unknown[] = [];
    const listener = ({ data }: MessageEvent): void => { received.push(data); };
    const emit = (data: string): unknown => (node.port as EventEmitter).emit('message', data);
    addEventListener('message', listener);
    addEventListener('message', listener);
    addEventListener('error', listener as never);
    emit('first');
    removeEventListener('message', listener);
    emit('second');
    expect(received).toEqual(['first']);
  });
});

describe('a compiled worker in a browser', () => {
  class FakeWorker extends EventTarget {
    constructor(readonly address: URL | string, readonly options: WorkerOptions) { super(); }
  }
  const scripts = new Map<string, Blob>();
  const visit = (href: string): void => {
    vi.stubGlobal('self', { location: new URL(href), origin: new URL(href).origin });
    vi.stubGlobal('Worker', FakeWorker);
    vi.spyOn(URL, 'createObjectURL').mockImplementation((blob) => {
      scripts.set(`blob:${scripts.size}`, blob as Blob);
      return `blob:${scripts.size - 1}`;
    });
    vi.spyOn(URL, 'revokeObjectURL').mockImplementation((address) => { scripts.delete(address); });
  };
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
    scripts.clear();
  });

  test('each name has its script beside the library', () => {
    visit('https://example.org/talk/');
    for (const name of NAMES) expect(packaged.addressOf(name).pathname).toMatch(new RegExp(`/workers/voxlane/workers/${name}\\.js$`));
  });

  test('a script of the same origin is started directly, as a module', () => {
    visit('file:///talk/index.html');
    const worker = packaged.openWorker('decode') as unknown as FakeWorker;
    expect(worker.address).toEqual(packaged.addressOf('decode'));
    expect(worker.options).toEqual({ type: 'module', name: 'voxlane decode' });
    expect(scripts.size).toBe(0);
  });

  test.each(['message', 'error'])('a script of another origin is imported by a local worker, whose address is freed after its first %s', async (event) => {
    visit('https://example.org/talk/');
    const worker = packaged.openWorker('decode') as unknown as FakeWorker;
    expect(worker.address).toBe('blob:0');
    expect(worker.options).toEqual({ type: 'module', name: 'voxlane decode' });
    expect(await scripts.get('blob:0')!.text()).toBe(`import ${JSON.stringify(packaged.addressOf('decode').href)};`);
    worker.dispatchEvent(new Event(event));
    expect(scripts.size).toBe(0);
  });
});
