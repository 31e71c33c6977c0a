import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ASSETS_PACKAGE, CODE_PACKAGE, ROOT } from './entries';

interface Package {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

const read = (folder: string): Package => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Package;

/** Addresses in one package refer to files in the other. Mixed versions would request missing files. */
test('repository and packages have the same version, the code depends on matching assets, and CHANGELOG.md has the version', () => {
  const { version } = read(ROOT);
  const code = read(CODE_PACKAGE);
  expect([code.version, read(ASSETS_PACKAGE).version]).toEqual([version, version]);
  expect(code.dependencies).toEqual({ 'voxlane-assets': version });
  expect(readFileSync(join(ROOT, 'CHANGELOG.md'), 'utf8')).toContain(`## ${version}`);
});
