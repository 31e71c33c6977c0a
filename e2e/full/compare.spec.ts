/** Longer tests: bisection and single stages. firefoxGpu.test.ts compares bundles on WebGPU. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { unzipSync } from 'fflate';
import { parseNpy } from '../../src/compare/files/npy';
import { encodeOnnx } from '../../src/onnx/model';
import { build, float, node } from '../../test/onnx/build';
import { runCommand } from '../../test/browser/command';

// stageCommand.spec.ts covers segmentation and embedding; compareCommand.spec.ts covers samples and a segmentation layer.
test('the other stages are computed in isolation and written as .npy', async () => {
  test.setTimeout(240_000);
  const folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
  const expected: [string, seconds: number, number[]][] = [
    ['fbank', 2, [1, 198, 80]],
    // Two windows.
    ['clustering', 11, [2, 3]],
    ['campplus-zh-en/embedding', 2, [1, 192]],
  ];
  for (const [stage, seconds, shape] of expected) {
    const out = join(folder, 'stage.npy');
    const { code, stdout } = await runCommand('stage', stage, 'public/sample.wav', '--duration', String(seconds), '--out', out);
    expect(code, stage).toBe(0);
    const tensor = parseNpy(readFileSync(out), out);
    expect(tensor.shape, stage).toEqual(shape);
    expect(stdout).toContain(`(${shape.join(', ')})`);
    expect(tensor.data.some((value) => value !== 0)).toBe(true);
  }
  rmSync(folder, { recursive: true });
});

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
