import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { fetchChecked } from './load';

const FILE = Buffer.from('a model');
const ADDRESS = `data:application/octet-stream;base64,${FILE.toString('base64')}`;
const facts = (bytes: Buffer): { readonly bytes: number; readonly sha256: string } => ({ bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') });

describe('fetchChecked', () => {
  it('returns a file with the expected hash', async () => {
    expect(Buffer.from(await fetchChecked(ADDRESS, facts(FILE)))).toEqual(FILE);
  });

  it.each([
    ['another hash', 'b model', /has SHA-256 [0-9a-f]{64}/],
    ['another length', 'a longer model', /has 7 bytes/],
  ])('rejects a file with %s', async (_, expected, problem) => {
    const error = { code: 'model-altered', problem: expect.stringMatching(problem) as string };
    await expect(fetchChecked(ADDRESS, facts(Buffer.from(expected)))).rejects.toMatchObject(error);
  });
});
