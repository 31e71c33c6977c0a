/** The command line on WebGPU, a minute on a software adapter. */
import { expect, test } from '@playwright/test';
import { runCommand } from '../../test/browser/command';
import type { DiarizationJson } from '../../test/browser/engine';

const diarize = (...args: string[]) => runCommand('diarize', ...args);

test('WebGPU on a second of the sample: the turns of WASM to one frame, and the log names the adapter', async () => {
  test.setTimeout(400_000);
  const stretch = ['public/sample.wav', '--start', '12', '--duration', '1', '--format', 'json'];
  const wasm = await diarize(...stretch, '--backend', 'wasm');
  // The self-check is what gpu.spec.ts tests, and takes half a minute on the software adapter.
  const gpu = await diarize(...stretch, '--backend', 'webgpu', '--trust-gpu');
  expect(gpu.code).toBe(0);
  const [expected, actual] = [wasm, gpu].map(({ stdout }) => JSON.parse(stdout) as DiarizationJson) as [
    DiarizationJson,
    DiarizationJson,
  ];
  expect(actual.backend.name).toBe('webgpu');
  expect(actual.backend.adapter).toBeTruthy();
  expect(gpu.stderr).toContain(`WebGPU on ${actual.backend.adapter}`);
  expect(expected.turns.length).toBeGreaterThan(0);
  for (const key of ['turns', 'exclusiveTurns'] as const) {
    expect(actual[key]).toHaveLength(expected[key].length);
    actual[key].forEach((turn, index) => {
      const other = expected[key][index]!;
      expect(turn.speaker).toBe(other.speaker);
      expect(Math.abs(turn.startSeconds - other.startSeconds)).toBeLessThanOrEqual(0.017);
      expect(Math.abs(turn.endSeconds - other.endSeconds)).toBeLessThanOrEqual(0.017);
    });
  }
});
