import { describe, expect, it } from 'vitest';
import { firstDuplicateKey } from './duplicateKey';

describe('firstDuplicateKey', () => {
  it.each([
    ['{"a":1,"a":2}', 'a'],
    ['{"a":1,"b":{"a":2}}', null],
    ['{"a":{"x":1,"y":[{"x":1},{"x":2}]},"b":{"x":1 , "x"\n:2}}', 'x'],
    ['{"a":"a","b":"a","c":["a","a","a"]}', null],
    [String.raw`{"a\"":1,"a\\":2,"\u0061\"":3}`, 'a"'],
    ['{"__proto__":1,"__proto__":1}', '__proto__'],
    ['{"a":"{\\"b\\":1,\\"b\\":2}"}', null],
    ['[]', null],
    ['{"":1,"":2}', ''],
  ])('%s', (text, key) => {
    expect(() => JSON.parse(text) as unknown).not.toThrow();
    expect(firstDuplicateKey(text)).toBe(key);
  });
});
