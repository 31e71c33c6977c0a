import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { safetensorsOf, someValues } from '../test/compare/checkpointFiles';
import type { AuditReport } from '../src/compare/report';
import { encodeOnnx } from '../src/onnx/model';
import { build, float, node, weight } from '../test/onnx/build';
import { main } from './audit';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'voxlane-audit-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function file(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

const sound = someValues([4, 5]);
const model = build({
  input: [float('x', 4)],
  output: [float('y', 5)],
  initializer: [weight('sound', [4, 5], Array.from(sound.data)), weight('zeroed', [3], [0, 0, 0])],
  node: [node('MatMul', ['x', 'sound'], ['y'])],
});
const graph = file('model.onnx', encodeOnnx(model));
const checkpoint = file('c.safetensors', safetensorsOf(new Map([['sound', sound]])));
const report = (stdout: string): AuditReport => JSON.parse(stdout) as AuditReport;

describe('the audit command', () => {
  it('exits with 0 if nothing is flagged', async () => {
    const { exitCode, stdout, stderr } = await main(['models/segmentation-3.0/model.onnx', '--flagged']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toBe('models/segmentation-3.0/model.onnx: nothing flagged\n');
  });

  it('exits with 1 and lists the findings if something is flagged', async () => {
    const { exitCode, stdout } = await main([graph, checkpoint]);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('model.onnx against c.safetensors: 1 flagged');
    expect(stdout).toMatch(/ {2}sound: float32 \(4, 5\), .*\n {4}is sound \(name\)\n/);
    expect(stdout).toMatch(/ {2}zeroed: .*3 zeros.*\n {4}all-zero, unmatched\n {6}all 3 values are zero\n/);
  });

  it('prints the report as JSON, with only the flagged tensors on request', async () => {
    const whole = report((await main([graph, checkpoint, '--json'])).stdout);
    expect(whole.weights.map(({ name }) => name)).toEqual(['sound', 'zeroed']);
    const flagged = report((await main([graph, checkpoint, '--json', '--flagged'])).stdout);
    expect(flagged).toEqual({ ...whole, weights: [whole.weights[1]], checkpoint: { file: 'c.safetensors', weights: [] } });
  });

  it.each([
    ['no graph', [], 'expected a graph'],
    ['a missing file', [join(folder, 'none.onnx')], 'cannot be read'],
    ['a file that is not a graph', [checkpoint], 'c.safetensors'],
    ['a file that is not a checkpoint', [graph, graph], 'is not a supported checkpoint'],
    ['an unknown option', [graph, '--what'], '--what'],
  ])('exits with 2 for %s', async (_, args, words) => {
    const { exitCode, stdout, stderr } = await main(args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain(words);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  it('prints errors as JSON', async () => {
    const { exitCode, stdout } = await main([graph, graph, '--json']);
    expect(exitCode).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'format', remedy: expect.any(String) as string } });
  });

  it('sets the exit code of the process', { timeout: 60_000 }, () => {
    const run = spawnSync(process.execPath, ['--import', 'tsx', 'cli/audit.ts', graph, '--json'], { cwd: ROOT, encoding: 'utf8' });
    expect({ status: run.status, stderr: run.stderr }).toEqual({ status: 1, stderr: '' });
    expect(report(run.stdout)).toMatchObject({ numFlagged: 1, checkpoint: null });
  });
});
