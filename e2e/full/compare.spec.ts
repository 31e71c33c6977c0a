/** Bisection of longer graphs. firefoxGpu.test.ts compares bundles on WebGPU. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { unzipSync } from 'fflate';
import { parseNpy } from '../../src/compare/files/npy';
import { encodeOnnx } from '../../src/onnx/model';
import { build, float, node } from '../../test/onnx/build';
import { runCommand } from '../../test/browser/command';

test('bisection of a graph on which both backends agree, and of a graph with given input', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
  const two = await runCommand('bisect', 'e2e/fixtures/foreign/two_inputs.onnx', '--json');
  expect(JSON.parse(two.stdout)).toMatchObject({ verdict: 'pass', node: null });
  expect(two.code).toBe(0);
  const files = unzipSync(readFileSync('public/goldens/segmentation-3.0.zip'));
  const input = join(folder, 'speech.npy');
  writeFileSync(input, files['inputs/waveform.npy']!);
  const { shape } = parseNpy(files['inputs/waveform.npy']!, input);
  // A small graph, because a software adapter takes minutes for all nodes of a model.
  const nodes = [node('Relu', ['x'], ['positive']), node('Add', ['x', 'positive'], ['y'])];
  const model = join(folder, 'small.onnx');
  writeFileSync(model, encodeOnnx(build({ node: nodes, input: [float('x', ...shape)], output: [float('y', ...shape)] })));
  const given = await runCommand('bisect', model, '--input', input, '--json');
  expect(JSON.parse(given.stdout)).toMatchObject({ verdict: 'pass', node: null, numNodes: 2 });
  expect(given.code).toBe(0);
  rmSync(folder, { recursive: true });
});
