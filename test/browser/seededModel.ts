import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test as base } from './test';
import { seededResnet34 } from '../seededModel';

/** `test` with a file of a full-size ResNet34 with seeded weights, shared by all tests of a worker. */
export const test = base.extend<object, { seededModel: string }>({
  seededModel: [
    // eslint-disable-next-line no-empty-pattern -- Playwright reads the names of fixtures from a pattern
    async ({}, use) => {
      const folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
      const path = join(folder, 'seeded.onnx');
      writeFileSync(path, seededResnet34('wespeaker'));
      await use(path);
      rmSync(folder, { recursive: true, force: true });
    },
    { scope: 'worker' },
  ],
});

export { expect } from './test';
