import { describe, expect, it } from 'vitest';
import { parseUem } from './uem';

describe('parseUem', () => {
  it('reads the regions of each recording', () => {
    expect(parseUem('\uFEFF;; map\r\none 1 0.000 12.5\r\n\r\ntwo\tNA\t3\t4\r\none 1 20 30 extra')).toEqual(
      new Map([
        [
          'one',
          [
            { startSeconds: 0, endSeconds: 12.5 },
            { startSeconds: 20, endSeconds: 30 },
          ],
        ],
        ['two', [{ startSeconds: 3, endSeconds: 4 }]],
      ]),
    );
  });

  it('reads names with spaces', () => {
    expect(parseUem('my talk 1 0 30\nmy 2 talk 1 5.5 30\n')).toEqual(
      new Map([
        ['my talk', [{ startSeconds: 0, endSeconds: 30 }]],
        ['my 2 talk', [{ startSeconds: 5.5, endSeconds: 30 }]],
      ]),
    );
  });

  it.each([
    ['an ambiguous line', 'one 1 20 30 40', /5 fields instead of 4, or a name with spaces/],
    ['a region that ends before it starts', 'one 1 5 4', /ends before it starts: one 1 5 4/],
    ['a missing field', 'one 1 5', /3 fields instead of 4/],
    ['a time that is not a number', 'one 1 0 end', /end "end", which is not a number/],
  ])('rejects %s and reports the line number', (_name, bad, found) => {
    const read = () => parseUem(`one 1 0 1\n${bad}\n`);
    expect(read).toThrow(expect.objectContaining({ code: 'format' }));
    expect(read).toThrow(found);
    expect(read).toThrow(/^Line 2 /);
  });
});
