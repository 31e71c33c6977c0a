import { describe, expect, test } from 'vitest';
import { openWork } from '../../test/openWork';
import { SerialQueue } from './engineLifetime';

const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

describe('turns', () => {
  test('run in order, also after a failed one', async () => {
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

  test('a canceled waiting task rejects at once, never starts, and does not affect the others', async () => {
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

  test('a signal that fires after the start, or before the call', async () => {
    const [turns, begun] = [new SerialQueue(), [] as string[]];
    const first = openWork(begun, 'first');
    const controller = new AbortController();
    const running = turns.take(first.work, controller.signal);
    await settled();
    // After the start, the queue ignores the signal.
    controller.abort();
    first.end();
    expect(await running).toBe('first');
    await expect(turns.take(first.work, AbortSignal.abort('why'))).rejects.toMatchObject({ code: 'cancelled', cause: 'why' });
    expect(begun).toEqual(['first']);
  });
});

type Work = ReturnType<typeof openWork>;
