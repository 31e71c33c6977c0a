/** The commands `compare`, `bisect` and `stage` in a browser. `test/full/compareCommand.test.ts` tests them in Node. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { unzipSync } from 'fflate';
import type { BisectReport, ComparisonReport } from '../../src/compare/report';
import { encodeOnnx, graphInfo, parseOnnx } from '../../src/onnx/model';
import { build, float, node } from '../../test/onnx/build';
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
  // Random numbers differ between backends even if both are correct.
  const nodes = [
    node('Relu', ['x'], ['positive'], { name: 'relu' }),
    node('RandomNormalLike', ['positive'], ['noise'], { name: 'random' }),
    node('Add', ['positive', 'noise'], ['y'], { name: 'sum' }),
  ];
  const model = join(folder, 'random.onnx');
  writeFileSync(model, encodeOnnx(build({ node: nodes, input: [float('x', null, 4, 4)], output: [float('y', null, 4, 4)] })));
  const report = join(folder, 'report.zip');
  const { code, stdout } = await runCommand('bisect', model, '--out', report, '--engine', 'browser', '--json');
  const { node: found, alone, verdict, numNodes } = JSON.parse(stdout) as BisectReport;
  expect({ code, verdict, numNodes, name: found?.name, op: found?.op, alone: alone?.verdict }).toEqual({
    code: 1,
    verdict: 'fail',
    numNodes: 3,
    name: 'random',
    op: 'RandomNormalLike',
    alone: 'fail',
  });
  const files = unzipSync(readFileSync(report));
  const minimal = graphInfo(parseOnnx(files['graph.onnx']!, 'graph.onnx'));
  expect(minimal.nodes.map(({ op }) => op)).toEqual(['RandomNormalLike']);
  expect(Object.keys(files).some((name) => name.startsWith('inputs/'))).toBe(true);
});
