/** The commands `compare`, `bisect` and `stage` in a browser. `test/full/compareCommand.test.ts` tests them in Node. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import type { ComparisonReport } from '../../src/compare/report';
import { foundBy, NOISE_FOUND, writeNoiseGraph } from '../../test/onnx/bisectedNoise';
import { makeForeignModel } from '../../test/browser/foreignModel';
import { runCommand } from '../../test/browser/command';

let folder: string;
test.beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
});
test.afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

test('a graph of another exporter with two inputs, on both backends', async () => {
  const { onnx, bundle, numNodes, numInputs } = makeForeignModel();
  expect(numNodes).toBeGreaterThanOrEqual(50);
  expect(numInputs).toBe(2);
  const [model, goldens] = [join(folder, 'foreign.onnx'), join(folder, 'foreign.zip')];
  writeFileSync(model, onnx);
  writeFileSync(goldens, bundle);
  const { code, stdout } = await runCommand('compare', goldens, '--model', model, '--backend', 'both', '--engine', 'browser', '--json');
  const document = JSON.parse(stdout) as ComparisonReport & { readonly runs?: ComparisonReport[] };
  expect(document).toMatchObject({ backend: 'both', verdict: 'pass', firstDivergence: null });
  expect(document.runs?.map(({ backend }) => backend)).toEqual(['wasm', 'webgpu']);
  expect(document.stages.length).toBeGreaterThanOrEqual(4);
  expect(code).toBe(0);
});

test('bisection finds the node whose values differ and writes it with its inputs', async () => {
  const [model, report] = [join(folder, 'random.onnx'), join(folder, 'report.zip')];
  writeNoiseGraph(model);
  const { code, stdout } = await runCommand('bisect', model, '--out', report, '--engine', 'browser', '--json');
  expect(foundBy(stdout, report)).toEqual(NOISE_FOUND);
  expect(code).toBe(1);
});
