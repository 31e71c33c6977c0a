/** Ogg files that start late: cut out of a longer stream, or without their first pages. */
import { describe, expect, it } from 'vitest';
import { fixture, oggPages } from '../../../test/audio/joined';
import { findParts } from './fileParts';

const HOUR = 3600;
const OPUS_RATE = 48_000;

/** The pages of the sample, with a clock that starts `seconds` later. Its first two pages are headers. */
async function pagesFrom(seconds: number): Promise<Uint8Array<ArrayBuffer>[]> {
  const pages = await oggPages(fixture('sample.ogg'));
  for (const page of pages.slice(2)) {
    const view = new DataView(page.buffer);
    view.setBigInt64(6, view.getBigInt64(6, true) + BigInt(seconds * OPUS_RATE), true);
  }
  return pages;
}

describe('the first audio of an Ogg file', () => {
  it.each([2, HOUR])('is the start of the recording if its clock starts at %d s', async (seconds) => {
    const { parts } = await findParts(new Blob(await pagesFrom(seconds)), 1);
    expect(parts).toMatchObject([{ startsAnywhere: true }]);
  });

  it('comes after a hole if pages are missing after the headers', async () => {
    const pages = await oggPages(fixture('sample.ogg'));
    const { parts } = await findParts(new Blob(pages.toSpliced(2, 2)), 1);
    expect(parts).toMatchObject([{ startsAnywhere: false, isStartMissing: true }]);
  });

  it('is the start of the recording if an hour seems to be missing: it was recorded from a stream', async () => {
    const pages = await pagesFrom(HOUR);
    const { parts } = await findParts(new Blob(pages.toSpliced(2, 2)), 1);
    expect(parts).toMatchObject([{ startsAnywhere: true }]);
    expect(parts[0]).not.toHaveProperty('isStartMissing');
  });
});
