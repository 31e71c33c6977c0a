import { expect, it } from 'vitest';
import { VoxlaneError } from './errors';

it('does not repeat a name or a value of any length', () => {
  const { problem, message } = new VoxlaneError({ code: 'format', problem: 'x'.repeat(9000), expected: 'y'.repeat(9000) });
  expect([problem.length, message.length]).toEqual([2001, 4005]);
});

it('shows control characters of names from files as what cannot be shown', () => {
  const error = new VoxlaneError({ code: 'format', problem: 'x\u001b[31m\0y has\nno end', expected: 'a\u0085b', remedy: 'Look' });
  expect(error.toParts()).toEqual({ code: 'format', problem: 'x\uFFFD[31m\uFFFDy has\nno end', expected: 'a\uFFFDb', remedy: 'Look' });
  expect(error.message).toBe('x\uFFFD[31m\uFFFDy has\nno end. Expected a\uFFFDb. Look.');
});
