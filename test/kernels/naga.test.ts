/**
 * Validates all WGSL with Naga, the compiler of Firefox; Dawn, which runs them in other tests, has Chromium's. Skipped
 * without the program: `cargo install naga-cli`.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'tinyglobby';
import { expect, test } from 'vitest';
import { describeUnless } from '../skips';

const missing = spawnSync('naga', ['--version']).status !== 0 && 'Naga is not installed: cargo install naga-cli';

describeUnless(missing)('Naga', () => {
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
