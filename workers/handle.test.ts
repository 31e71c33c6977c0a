import { expose } from 'comlink';
import { afterEach, expect, test, vi } from 'vitest';
import { VoxlaneError } from '../src/util/errors';
import { WorkerHandle } from './handle';
import type { EndOfLife } from './life';

interface Api {
  hang(): Promise<void>;
  fail(code: string): Promise<void>;
}

const opened: MessagePort[] = [];
afterEach(() => {
  for (const port of opened.splice(0)) port.close();
});

/** A worker in this thread, and its watch. */
function fakeWorker() {
  const { port1, port2 } = new MessageChannel();
  opened.push(port1, port2);
  const api: Api = {
    hang: () => new Promise(() => undefined),
    fail(code) {
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- plain data, as protocol.ts sends it
      throw { code, problem: 'it failed' };
    },
  };
  expose(api, port1);
  port2.start();
  const terminate = vi.fn();
  const stopWatching = vi.fn();
  let end = (_how: EndOfLife): void => undefined;
  const handle = new WorkerHandle<Api>(Object.assign(port2, { terminate }) as unknown as Worker, 'test', (_worker, onEnd) => {
    end = onEnd;
    return stopWatching;
  });
  return { handle, terminate, stopWatching, end: (how: EndOfLife) => { end(how); } };
}

test.each([
  ['ended', 'ended without an error'],
  ['never-started', 'did not start'],
] as const)('pending and later calls reject if the worker has %s', async (how, text) => {
  const { handle, terminate, end } = fakeWorker();
  const pending = handle.call((api) => api.hang());
  expect(handle.end).toBeNull();
  end(how);
  for (const call of [pending, handle.call((api) => api.hang())]) {
    await expect(call).rejects.toMatchObject({ code: 'worker-failed', problem: expect.stringContaining(text) as string });
  }
  expect(handle).toMatchObject({ vanished: true, end: { code: 'worker-failed' } });
  expect(terminate).toHaveBeenCalledOnce();
});

test('an unexpected error terminates the worker; an input error does not', async () => {
  const { handle, terminate, stopWatching } = fakeWorker();
  await expect(handle.call((api) => api.fail('audio-decode'))).rejects.toMatchObject({ code: 'audio-decode' });
  expect(terminate).not.toHaveBeenCalled();
  await expect(handle.call((api) => api.fail('worker-failed'))).rejects.toBeInstanceOf(VoxlaneError);
  expect(terminate).toHaveBeenCalledOnce();
  expect(stopWatching).toHaveBeenCalled();
  // It is not marked as vanished, because a new worker would fail in the same way.
  expect(handle).toMatchObject({ vanished: false, end: { problem: 'it failed' } });
});

test('the watch stops before the page terminates a worker', () => {
  const { handle, terminate, stopWatching } = fakeWorker();
  handle.terminate(new VoxlaneError({ code: 'cancelled', problem: 'enough' }));
  expect(stopWatching.mock.invocationCallOrder[0]).toBeLessThan(terminate.mock.invocationCallOrder[0]!);
  expect(handle.vanished).toBe(false);
});
