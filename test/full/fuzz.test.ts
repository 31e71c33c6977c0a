// Must be imported first, because it counts buffers of modules loaded later.
import '../compare/memory';
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { findingOf } from '../fuzz/judge';
import { mutatedFiles } from '../fuzz/mutations';
import { READERS } from '../fuzz/readers';

/** Makes the inputs reproducible. `npm run fuzz` uses other seeds. */
const SEED = 17;

describe('valid files are read', () => {
  // Node has no decoders of AAC and FLAC, so they correctly cause an error.
  it.each(READERS.filter(({ name }) => name !== 'container').map((reader) => [reader.name, reader] as const))('%s', async (_name, reader) => {
    for (const bytes of await reader.seeds()) await reader.read(bytes);
  });
});

describe('files with random faults cause a typed error or a result', () => {
  it.each(READERS.map((reader) => [reader.name, reader] as const))('%s', async (_name, reader) => {
    const property = fc.asyncProperty(mutatedFiles(await reader.seeds()), async (bytes) => {
      const finding = await findingOf(reader, bytes);
      if (finding !== null) throw new Error(finding);
    });
    await fc.assert(property, { seed: SEED, numRuns: reader.numRuns });
  });
});
