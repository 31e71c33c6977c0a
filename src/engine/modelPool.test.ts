import { expect, test } from 'vitest';
import type { LoadReply, LoadRequest, ModelWorkerApi } from '../../workers/contracts';
import type { WorkerHandle } from '../../workers/handle';
import { VoxlaneError } from '../util/errors';
import { Interruptible } from '../util/abort';
import { ModelPool } from './modelPool';

type Api = ModelWorkerApi<string>;

const reply: LoadReply<string> = { manifest: 'm', adapter: null, sha256: '', note: null, hasGoldens: true };
const ended = (problem: string): VoxlaneError => new VoxlaneError({ code: 'cancelled', problem });

/**
 * Worker handles in the page's thread.
 *
 * @param failing indices of handles that fail to load
 * @param hashes SHA-256 of the file that each handle loads
 */
function fakeSpawn(failing: readonly number[] = [], hashes: readonly string[] = []) {
  const handles: { calls: Interruptible<VoxlaneError>; load: (() => void)[] }[] = [];
  const spawn = (): WorkerHandle<Api> => {
    const index = handles.length;
    const calls = new Interruptible<VoxlaneError>();
    const load: (() => void)[] = [];
    handles.push({ calls, load });
    const api = {
      index,
      load: () => {
        if (failing.includes(index)) return Promise.reject(ended('no memory'));
        return new Promise((resolve) => {
          load.push(() => { resolve({ ...reply, sha256: hashes[index] ?? '' }); });
        });
      },
    };
    return {
      call: (use: (remote: unknown) => Promise<unknown>) => calls.run(() => use(api)),
      terminate: (reason: VoxlaneError) => { calls.interrupt(reason); },
    } as unknown as WorkerHandle<Api>;
  };
  return { spawn, handles };
}

/** A call that the test ends; it returns the index of its worker. */
function openCall(pool: ModelPool<string, Api>): { end: () => void; result: Promise<number> } {
  let end = (): void => undefined;
  const gate = new Promise<void>((resolve) => { end = resolve; });
  const result = pool.call(async (remote) => {
    await gate;
    return (remote as unknown as { index: number }).index;
  });
  return { end, result };
}

const turn = () => new Promise((resolve) => setTimeout(resolve));

test('each worker has one call at a time, and the next call goes to the first idle worker', async () => {
  const { spawn, handles } = fakeSpawn();
  const pool = new ModelPool<string, Api>(spawn, {} as LoadRequest, 2);
  const growing = pool.grow();
  await turn();
  const [first, second, third] = [openCall(pool), openCall(pool), openCall(pool)];
  await turn();
  // The second worker accepts calls as soon as its model is loaded.
  handles[1]!.load[0]!();
  await growing;
  second.end();
  expect(await second.result).toBe(1);
  third.end();
  expect(await third.result).toBe(1);
  first.end();
  expect(await first.result).toBe(0);
});

test('a worker that fails to start is omitted', async () => {
  const { spawn } = fakeSpawn([1]);
  const pool = new ModelPool<string, Api>(spawn, {} as LoadRequest, 2);
  await pool.grow();
  const calls = [openCall(pool), openCall(pool)];
  for (const call of calls) call.end();
  expect(await Promise.all(calls.map(({ result }) => result))).toEqual([0, 0]);
});

test('ending the pool rejects running and waiting calls', async () => {
  const { spawn } = fakeSpawn();
  const pool = new ModelPool<string, Api>(spawn, {} as LoadRequest, 1);
  const calls = [openCall(pool), openCall(pool)];
  const outcomes = Promise.allSettled(calls.map(({ result }) => result));
  await turn();
  pool.terminate(ended('stopped'));
  for (const outcome of await outcomes) expect(outcome).toMatchObject({ status: 'rejected', reason: { problem: 'stopped' } });
  await expect(openCall(pool).result).rejects.toMatchObject({ problem: 'stopped' });
});

test('a worker that loads a different file than the first worker is not used', async () => {
  const { spawn, handles } = fakeSpawn([], ['checked', 'replaced', 'checked']);
  const pool = new ModelPool<string, Api>(spawn, {} as LoadRequest, 3);
  const loading = pool.load();
  await turn();
  handles[0]!.load[0]!();
  await loading;
  const growing = pool.grow();
  await turn();
  for (const { load } of handles.slice(1)) load[0]!();
  await growing;
  expect(handles[1]!.calls.interruption).toMatchObject({ code: 'model-altered', problem: expect.stringContaining('replaced') as string });
  const calls = [openCall(pool), openCall(pool)];
  for (const { end } of calls) end();
  expect((await Promise.all(calls.map(({ result }) => result))).toSorted()).toEqual([0, 2]);
});
