import { expect, it } from 'vitest';
import { hashes, readRecord } from './minimp3';

it('the MP3 decoder was compiled from its sources', () => {
  const { sources, module } = readRecord();
  // After a change, run "npx tsx scripts/minimp3.ts". test/full/minimp3.test.ts compiles the sources.
  expect(hashes()).toEqual({ sources, module });
});
