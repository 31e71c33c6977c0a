/** What takes longer: a bundle made by others on WebGPU, a minute on a software adapter, and every stage by itself. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { unzipSync } from 'fflate';
import { parseNpy } from '../../src/compare/npy';
import type { ComparisonReport } from '../../src/compare/report';
import { hasShared, SHARED, SHARED_MISSING } from '../../test/shared';
import { runCommand } from '../../test/browser/command';

test.describe('bundles made by others', () => {
  test.skip(!hasShared, SHARED_MISSING);
  // parity.spec.ts compares the bundled bundles of both models on WebGPU.
  test('seg_dev00 passes on WebGPU', async () => {
    test.setTimeout(300_000);
    const { code, stdout } = await runCommand('compare', join(SHARED, 'goldens', 'seg_dev00.zip'), '--backend', 'webgpu', '--json');
    const report = JSON.parse(stdout) as ComparisonReport;
    for (const stage of report.stages) console.log(`${stage.name}: max abs ${stage.maxAbs?.toExponential(1)}`);
    expect(report).toMatchObject({ backend: 'webgpu', verdict: 'pass', firstDivergence: null });
    expect(report.stages.every(({ forced }) => forced === null || forced.verdict === 'pass')).toBe(true);
    expect(code).toBe(0);
  });
});

// stageCommand.spec.ts has segmentation and embedding.
test('the other stages by themselves, written as .npy', async () => {
  test.setTimeout(240_000);
  const folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
  const expected: [string, number[]][] = [
    ['decode', [176_000]],
    ['fbank', [1, 1098, 80]],
    ['lstm', [1, 649, 256]],
    ['clustering', [2, 3]],
    ['campplus-zh-en/embedding', [1, 192]],
  ];
  for (const [stage, shape] of expected) {
    const out = join(folder, 'stage.npy');
    const { code, stdout } = await runCommand('stage', stage, 'public/sample.wav', '--duration', '11', '--out', out);
    expect(code, stage).toBe(0);
    const tensor = parseNpy(readFileSync(out), out);
    expect(tensor.shape, stage).toEqual(shape);
    expect(stdout).toContain(`(${shape.join(', ')})`);
    expect(tensor.data.some((value) => value !== 0)).toBe(true);
  }
  rmSync(folder, { recursive: true });
});

test('bisection of a graph where both backends agree, and of one with its input given', async () => {
  test.setTimeout(180_000);
  const folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
  const two = await runCommand('bisect', 'e2e/fixtures/foreign/two_inputs.onnx', '--json');
  expect(JSON.parse(two.stdout)).toMatchObject({ verdict: 'pass', node: null });
  expect(two.code).toBe(0);
  const files = unzipSync(readFileSync('public/goldens/segmentation-3.0.zip'));
  const input = join(folder, 'speech.npy');
  writeFileSync(input, files['inputs/waveform.npy']!);
  const given = await runCommand('bisect', 'models/segmentation-3.0/model.onnx', '--input', input, '--json');
  expect(JSON.parse(given.stdout)).toMatchObject({ verdict: 'pass', node: null });
  expect(given.code).toBe(0);
  rmSync(folder, { recursive: true });
});
