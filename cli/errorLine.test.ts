import { expect, test } from 'vitest';
import { VoxlaneError } from '../src/util/errors';
import { errorLine } from './errorLine';

test('a library error becomes one line that includes the browser message', () => {
  const cause = new TypeError('Failed to fetch\n  at line 2');
  const error = new VoxlaneError({ code: 'model-missing', problem: 'The file x could not be fetched', remedy: 'Try again' }, { cause });
  expect(errorLine(error)).toBe('The file x could not be fetched. Try again (TypeError: Failed to fetch at line 2)');
  expect(errorLine(new VoxlaneError(error.toParts()))).toBe(errorLine(error));
});

test('other errors become one line with their message', () => {
  expect(errorLine(new Error('first.\nsecond.'))).toBe('first. second');
  expect(errorLine('thrown text')).toBe('thrown text');
});
