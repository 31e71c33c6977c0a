import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ASSETS_PACKAGE, CODE_PACKAGE, ROOT } from './entries';

interface Package {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

const read = (folder: string): Package => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Package;

/** The addresses in the one are for the workers in the other: a mixture would ask for files that are not there. */
test('repository and packages have one version, the code depends on its own assets, and CHANGELOG.md knows it', () => {
  const { version } = read(ROOT);
  const code = read(CODE_PACKAGE);
  expect([code.version, read(ASSETS_PACKAGE).version]).toEqual([version, version]);
  expect(code.dependencies).toEqual({ 'voxlane-assets': version });
  expect(readFileSync(join(ROOT, 'CHANGELOG.md'), 'utf8')).toContain(`## ${version}`);
});
