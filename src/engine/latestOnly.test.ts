import { describe, expect, test } from 'vitest';
import { VoxlaneError } from '../util/errors';
import { LatestOnly } from './reclusterer';

/** Work that the test ends. */
function openWork() {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const work = (name: string) => () =>
    new Promise<string>((resolve) => {
      begun.push(name);
      ends.set(name, () => {
        resolve(name);
      });
    });
  return { begun, work, end: (name: string) => { ends.get(name)!(); } };
}

const cancelled = expect.objectContaining({ code: 'cancelled' }) as unknown;
const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

describe('latest only', () => {
  test('runs only the last of the calls made during a run', async () => {
    const calls = new LatestOnly();
    const { begun, work, end } = openWork();
    const first = calls.run(work('first'));
    const second = calls.run(work('second'));
    const third = calls.run(work('third'));
    await expect(second).rejects.toEqual(cancelled);
    expect(begun).toEqual(['first']);
    end('first');
    expect(await first).toBe('first');
    await settled();
    expect(begun).toEqual(['first', 'third']);
    end('third');
    expect(await third).toBe('third');
  });

  test('aborts a call: waiting, it does not start; running, its result is dropped; with a fired signal, it is rejected', async () => {
    const calls = new LatestOnly();
    const { begun, work, end } = openWork();
    const [running, waiting] = [new AbortController(), new AbortController()];
    const first = calls.run(work('first'), running.signal);
    const second = calls.run(work('second'), waiting.signal);
    waiting.abort();
    await expect(second).rejects.toEqual(cancelled);
    running.abort();
    await expect(first).rejects.toEqual(cancelled);
    await expect(calls.run(work('third'), waiting.signal)).rejects.toEqual(cancelled);
    const fourth = calls.run(work('fourth'));
    expect(begun).toEqual(['first']);
    end('first');
    await settled();
    end('fourth');
    expect(await fourth).toBe('fourth');
    expect(begun).toEqual(['first', 'fourth']);
  });

  test('runs the next call after one that fails', async () => {
    const calls = new LatestOnly();
    const first = calls.run(() => Promise.reject(new Error('failed')));
    const second = calls.run(() => Promise.resolve('second'));
    await expect(first).rejects.toThrow('failed');
    expect(await second).toBe('second');
  });

  test('is idle after all calls', async () => {
    const calls = new LatestOnly();
    const { begun, work, end } = openWork();
    await calls.idle();
    void calls.run(work('first'));
    void calls.run(work('second'));
    let isIdle = false;
    const idle = calls.idle().then(() => (isIdle = true));
    end('first');
    await settled();
    expect([isIdle, begun]).toEqual([false, ['first', 'second']]);
    end('second');
    await idle;
  });

  test('rejects waiting calls on stop', async () => {
    const calls = new LatestOnly();
    const { work } = openWork();
    void calls.run(work('first'));
    const second = calls.run(work('second'));
    calls.stop(new VoxlaneError({ code: 'disposed', problem: 'x' }));
    await expect(second).rejects.toEqual(expect.objectContaining({ code: 'disposed' }));
  });
});
