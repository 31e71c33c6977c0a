import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { describeIssue } from './describeIssue';

const issueOf = (schema: v.GenericSchema, value: unknown): string => describeIssue(v.safeParse(schema, value).issues![0]);

describe('describeIssue', () => {
  it.each([
    [v.number(), 'a', 'expected number, found "a"'],
    [v.number(), undefined, 'expected number, found nothing'],
    [v.object({ a: v.string() }), {}, 'expected "a", found nothing'],
    [v.literal(1), 2, 'expected 1, found 2'],
    [v.pipe(v.number(), v.minValue(1)), 0, 'expected >=1, found 0'],
    [v.strictObject({}), { b: 1 }, '"b" is not allowed here'],
    [v.string(), ['x'], 'expected string, found Array'],
    [v.pipe(v.string(), v.regex(/^a/, 'must begin with a')), 'b', 'must begin with a'],
  ])('describes an issue without the text of the library: %#', (schema, value, text) => {
    expect(issueOf(schema, value)).toBe(text);
  });

  it('shortens what was found', () => {
    expect(issueOf(v.number(), 'x'.repeat(1e6)).length).toBeLessThan(100);
  });
});
