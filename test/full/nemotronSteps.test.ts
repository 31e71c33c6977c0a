/** The command `compare` with golden steps of Nemotron 3 Diarization: seeded weights, 4 layers. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Document } from '../../cli/compareReport';
import { runCommand } from '../browser/command';
import { seededNemotronFile } from '../seededNemotron';

const BUNDLE = 'src/compare/fixtures/nemotron_steps.zip';
const folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
const weights = join(folder, 'model.safetensors');
const faulty = join(folder, 'faulty.safetensors');

beforeAll(() => {
  const file = seededNemotronFile(4);
  writeFileSync(weights, file);
  // The last value of the file is of the silence embedding, which only the speaker cache reads.
  new DataView(file.buffer).setFloat32(file.length - 4, 9, true);
  writeFileSync(faulty, file);
});
afterAll(() => { rmSync(folder, { recursive: true }); });

it('passes all steps, with the stages of the last one', async () => {
  const { code, stdout, stderr } = await runCommand('compare', BUNDLE, '--weights', weights, '--json');
  expect(code, stderr).toBe(0);
  const { verdict, steps, stages } = JSON.parse(stdout) as Document;
  expect(verdict).toBe('pass');
  expect(steps).toMatchObject([{ backend: 'wasm', verdict: 'pass', first: null }]);
  expect(steps![0]!.steps.map(({ index }) => index)).toEqual([0, 3, 8]);
  // Step 8 attends to 24 frames.
  expect(stages.map(({ name, shape }) => [name, shape[0]])).toEqual([['stacking', 4], ['layer1', 24], ['head', 192], ['logits', 192]]);
}, 600_000);

it('attributes a wrong silence embedding to the state, from the first compression of the cache on', async () => {
  const { code, stdout, stderr } = await runCommand('compare', BUNDLE, '--weights', faulty);
  expect(code, stderr).toBe(1);
  expect(stdout).toContain('steps on wasm, ultra_low_latency: fail, first in step 8: state, by drift of the state');
  expect(stdout).toMatch(/pass {2}step 3 .*\n {2}drift step 8 /);
  // From the golden state, the step is right.
  expect(stdout).toContain('golden state: 0 of 576 decisions differ');
}, 600_000);

it('names the first stage that float16 weights change, with the differing decisions', async () => {
  const { code, stdout, stderr } = await runCommand('compare', BUNDLE, '--weights', weights, '--form', 'float16');
  expect(code, stderr).toBe(1);
  expect(stdout).toContain('first in step 0: stacking, by an error of this step');
  expect(stdout).toMatch(/decisions changed by a stage, .*: head \d+.*; most by head/);
  expect(stdout).toMatch(/golden state: \d+ of 576 decisions differ \(\d+\.\d per 10,000\); own state: /);
  // Causes of four stages are tried in each of three steps.
}, 1_200_000);

it('passes with int8 weights, which have 16 bits in two parts', async () => {
  const { code, stdout, stderr } = await runCommand('compare', BUNDLE, '--weights', weights, '--form', 'int8');
  expect(code, stderr).toBe(0);
  expect(stdout).toContain('golden state: 0 of 576 decisions differ');
}, 600_000);

it('needs the weights', async () => {
  const { code, stderr } = await runCommand('compare', BUNDLE);
  expect(code).toBe(2);
  expect(stderr).toContain('The graph has no weights');
}, 600_000);
