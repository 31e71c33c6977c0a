/**
 * Validates all WGSL with Naga, the compiler of Firefox; Dawn, which runs them in other tests, has Chromium's. Skipped
 * without the program: `cargo install naga-cli`.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'tinyglobby';
import { describe, expect, test } from 'vitest';

const isInstalled = spawnSync('naga', ['--version']).status === 0;
if (!isInstalled) console.log('skipped: validation by Naga, which is not installed');

describe.skipIf(!isInstalled)('Naga', () => {
  const files = globSync('src/**/*.wgsl').toSorted();

  test('there are kernels to validate', () => {
    expect(files.length).toBeGreaterThan(5);
  });

  test.each(files)('accepts %s', (file) => {
    const { status, stderr } = spawnSync('naga', [file], { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });
});
