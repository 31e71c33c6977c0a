/** The command line on WebGPU. */
import { expect, test } from '@playwright/test';
import { runCommand } from '../../test/browser/command';
import type { DiarizationJson } from '../../test/browser/engine';

test('WebGPU on a pause: both models are loaded, and the log names the adapter', async () => {
  test.setTimeout(400_000);
  // e2e/browsers/firefoxGpu.test.ts covers the self-check and compares turns with WASM, because embeddings take a minute on
  // Chromium's software adapter.
  const options = ['--start', '0', '--duration', '1', '--format', 'json', '--backend', 'webgpu', '--trust-gpu'];
  const { code, stdout, stderr } = await runCommand('diarize', 'public/sample.wav', ...options);
  expect(code).toBe(0);
  const { backend, turns, durationSeconds } = JSON.parse(stdout) as DiarizationJson;
  expect(backend.name).toBe('webgpu');
  expect(backend.adapter).toBeTruthy();
  expect(stderr).toContain(`WebGPU on ${backend.adapter}`);
  expect(turns).toEqual([]);
  expect(durationSeconds).toBeGreaterThan(0);
});
