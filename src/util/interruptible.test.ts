import { expect, test } from 'vitest';
import { Interruptible } from './concurrency';

test('work settles as it does by itself', async () => {
  const interruptible = new Interruptible();
  expect(await interruptible.run(() => Promise.resolve(1))).toBe(1);
  await expect(interruptible.run(() => Promise.reject(new Error('own')))).rejects.toThrow('own');
});

test('an interruption rejects what is pending, and all that comes after it', async () => {
  const interruptible = new Interruptible();
  const pending = interruptible.run(() => new Promise(() => undefined));
  interruptible.interrupt(new Error('first'));
  interruptible.interrupt(new Error('second'));
  await expect(pending).rejects.toThrow('first');
  await expect(interruptible.run(() => Promise.resolve(1))).rejects.toThrow('first');
  expect(interruptible.interruption?.message).toBe('first');
});
