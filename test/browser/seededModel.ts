import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test as base } from './test';
import { seededResnet34 } from '../seededModel';

/** With a ResNet34 of full size and seeded weights as a file, one for all tests of a worker. */
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
