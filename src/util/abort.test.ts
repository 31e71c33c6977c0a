import { expect, test } from 'vitest';
import { openWork } from '../../test/openWork';
import { Interruptible, onAbort, unlessAborted } from './abort';

test('work settles without an interruption', async () => {
  const interruptible = new Interruptible();
  expect(await interruptible.run(() => Promise.resolve(1))).toBe(1);
  await expect(interruptible.run(() => Promise.reject(new Error('own')))).rejects.toThrow('own');
});

test('an interruption rejects pending and later work', async () => {
  const interruptible = new Interruptible();
  const pending = interruptible.run(() => new Promise(() => undefined));
  interruptible.interrupt(new Error('first'));
  interruptible.interrupt(new Error('second'));
  await expect(pending).rejects.toThrow('first');
  await expect(interruptible.run(() => Promise.resolve(1))).rejects.toThrow('first');
  expect(interruptible.interruption?.message).toBe('first');
});

test('rejects without waiting for work that cannot be interrupted', async () => {
  const begun: string[] = [];
  const { work, end } = openWork(begun, 'work');
  const controller = new AbortController();
  const run = unlessAborted(controller.signal, work);
  controller.abort('why');
  await expect(run).rejects.toMatchObject({ code: 'cancelled', cause: 'why' });
  await expect(unlessAborted(controller.signal, work)).rejects.toMatchObject({ code: 'cancelled' });
  expect(begun).toEqual(['work']);
  end();
  expect(await unlessAborted(new AbortController().signal, work)).toBe('work');
  expect(await unlessAborted(undefined, work)).toBe('work');
});

test('only a result that arrives too late is passed to `discard`', async () => {
  const [begun, freed] = [[] as string[], [] as string[]];
  const [late, early] = [openWork(begun, 'late'), openWork(begun, 'early')];
  const controller = new AbortController();
  const run = unlessAborted(controller.signal, late.work, { discard: (result) => freed.push(result) });
  const other = unlessAborted(new AbortController().signal, early.work, { discard: (result) => freed.push(result) });
  // The result exists, but has not been delivered yet.
  late.end();
  controller.abort();
  early.end();
  await expect(run).rejects.toMatchObject({ code: 'cancelled' });
  expect(await other).toBe('early');
  expect(freed).toEqual(['late']);
});

test('a signal that fires stops the work, unless the work has ended', async () => {
  const { work, end } = openWork([], 'work');
  const stopped: unknown[] = [];
  const [first, second] = [new AbortController(), new AbortController()];
  const stop = (reason: unknown) => { stopped.push(reason); };
  const run = unlessAborted(first.signal, work, { stop });
  first.abort('why');
  const error: unknown = await run.catch((thrown: unknown) => thrown);
  expect(stopped).toEqual([error]);
  end();
  await unlessAborted(second.signal, work, { stop });
  second.abort();
  expect(stopped).toHaveLength(1);
});

test('a listener is called once, also if the signal has already fired, and never after its removal', () => {
  const controller = new AbortController();
  const called: string[] = [];
  onAbort(controller.signal, () => called.push('first'));
  onAbort(controller.signal, () => called.push('removed'))();
  controller.abort();
  onAbort(controller.signal, () => called.push('late'));
  onAbort(undefined, () => called.push('never'))();
  expect(called).toEqual(['first', 'late']);
});

test.each([[{}], [true], ['signal'], [{ aborted: false }]])('%j is rejected as a signal before the work begins', async (signal) => {
  const begun: string[] = [];
  const { work } = openWork(begun, 'a');
  await expect(unlessAborted(signal as never, work)).rejects.toMatchObject({ code: 'options', problem: 'The option signal is not an AbortSignal' });
  expect(begun).toEqual([]);
});
