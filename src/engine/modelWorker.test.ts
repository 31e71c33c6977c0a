import { expect, test, vi } from 'vitest';
import type { LoadRequest, ModelWorkerApi } from '../../workers/contracts';
import type { WorkerHandle } from '../../workers/handle';
import { VoxlaneError } from '../util/errors';
import { ModelWorker } from './modelPool';

type Api = ModelWorkerApi<string>;

/** Handles whose worker ends, or whose GPU device is lost, during its call if `vanishing` returns true for its index. */
function fakeSpawn(vanishing: (index: number) => boolean, code: 'worker-failed' | 'gpu-lost' = 'worker-failed') {
  const spawned: { vanished: boolean; terminated: boolean; load: ReturnType<typeof vi.fn> }[] = [];
  const gone = new VoxlaneError({ code, problem: 'gone' });
  const spawn = (): WorkerHandle<Api> => {
    const index = spawned.length;
    const load = vi.fn(() => Promise.resolve({ manifest: 'm', adapter: null, sha256: '', note: null }));
    const handle = {
      vanished: false,
      terminated: false,
      load,
      async call(use: (remote: unknown) => Promise<unknown>) {
        if (handle.vanished) throw gone;
        const result = await use({ index, load });
        if (result !== index || !vanishing(index)) return result;
        handle.vanished = code === 'worker-failed';
        throw gone;
      },
      terminate() { handle.terminated = true; },
    };
    spawned.push(handle);
    return handle as unknown as WorkerHandle<Api>;
  };
  return { spawn, spawned };
}

const indexOf = (remote: unknown) => Promise.resolve((remote as { index: number }).index);

test.each(['worker-failed', 'gpu-lost'] as const)('after %s, the worker is replaced, its model is loaded, and the call is repeated', async (code) => {
  const { spawn, spawned } = fakeSpawn((index) => index === 0, code);
  const worker = new ModelWorker<string, Api>(spawn, {} as LoadRequest);
  await worker.load();
  expect(await worker.call(indexOf)).toBe(1);
  expect(spawned).toMatchObject([{ terminated: true }, { terminated: false }]);
  expect(spawned[1]!.load).toHaveBeenCalledOnce();
});

test.each(['worker-failed', 'gpu-lost'] as const)('the call fails if %s repeats; the next run tries again', async (code) => {
  let isVanishing = true;
  const { spawn, spawned } = fakeSpawn(() => isVanishing, code);
  const worker = new ModelWorker<string, Api>(spawn, {} as LoadRequest);
  await expect(worker.call(indexOf)).rejects.toMatchObject({ code });
  expect(spawned).toHaveLength(4);
  isVanishing = false;
  worker.newRun();
  // A worker whose device was lost is still there, and may have another device by then.
  expect(await worker.call(indexOf)).toBe(code === 'gpu-lost' ? 3 : 4);
});

test('a fetch that fails because another worker ended is repeated', async () => {
  const { spawn, spawned } = fakeSpawn((index) => index === 0);
  const missing = new VoxlaneError({ code: 'model-missing', problem: 'the connection ended' });
  const worker = new ModelWorker<string, Api>(() => {
    const handle = spawn();
    if (spawned.length === 2) spawned[1]!.load.mockRejectedValueOnce(missing);
    return handle;
  }, {} as LoadRequest);
  expect(await worker.call(indexOf)).toBe(2);
  expect(spawned).toMatchObject([{ terminated: true }, { terminated: true }, { terminated: false }]);
});
