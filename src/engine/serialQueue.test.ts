import { describe, expect, test } from 'vitest';
import { SerialQueue } from './calls';

/** Work that ends when it is told to. */
function openWork(begun: string[], name: string): { work: () => Promise<string>; end: () => void; fail: () => void } {
  let end = (): void => undefined;
  let fail = (): void => undefined;
  const ended = new Promise<string>((resolve, reject) => {
    end = () => { resolve(name); };
    fail = () => { reject(new Error(name)); };
  });
  const work = (): Promise<string> => {
    begun.push(name);
    return ended;
  };
  return { work, end, fail };
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

describe('turns', () => {
  test('are taken in order, also after one that failed', async () => {
    const [turns, begun] = [new SerialQueue(), [] as string[]];
    const [first, second] = [openWork(begun, 'first'), openWork(begun, 'second')];
    const runs = [turns.take(first.work), turns.take(second.work)] as const;
    await settled();
    expect(begun).toEqual(['first']);
    first.fail();
    await expect(runs[0]).rejects.toThrow('first');
    second.end();
    expect(await runs[1]).toBe('second');
  });

  test('one that is taken back while it waits rejects at once, is never begun, and leaves the others alone', async () => {
    const [turns, begun] = [new SerialQueue(), [] as string[]];
    const [first, second, third] = ['first', 'second', 'third'].map((name) => openWork(begun, name)) as [Work, Work, Work];
    const controller = new AbortController();
    const running = turns.take(first.work);
    const waiting = turns.take(second.work, controller.signal);
    const last = turns.take(third.work);
    const reason = new Error('the page was left');
    controller.abort(reason);
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled', cause: reason });
    expect(begun).toEqual(['first']);
    first.end();
    expect(await running).toBe('first');
    third.end();
    expect(await last).toBe('third');
    expect(begun).toEqual(['first', 'third']);
  });

  test('a signal that fires later, or has fired before', async () => {
    const [turns, begun] = [new SerialQueue(), [] as string[]];
    const first = openWork(begun, 'first');
    const controller = new AbortController();
    const running = turns.take(first.work, controller.signal);
    await settled();
    // The work's own affair: it ends here, though its caller has changed his mind.
    controller.abort();
    first.end();
    expect(await running).toBe('first');
    await expect(turns.take(first.work, AbortSignal.abort('why'))).rejects.toMatchObject({ code: 'cancelled', cause: 'why' });
    expect(begun).toEqual(['first']);
  });
});

type Work = ReturnType<typeof openWork>;
