/** The commands `compare`, `bisect`, `stage` and, on a software adapter, `diarize` as separate processes, with the engine for Node. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { unzipSync, zipSync } from 'fflate';
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { loadNodeEngine } from '../../cli/nodeEngine';
import { parseNpy } from '../../src/compare/files/npy';
import type { ComparisonReport } from '../../src/compare/report';
import { encodeOnnx, graphInfo, parseOnnx } from '../../src/onnx/model';
import { NO_SHARED, SHARED } from '../shared';
import type { DiarizationJson } from '../browser/engine';
import { makeForeignModel } from '../browser/foreignModel';
import { driverFile, NO_DRIVER } from '../gpu/dawn';
import { foundBy, NOISE_FOUND, writeNoiseGraph } from '../onnx/bisectedNoise';
import { runCommand, runUntil } from '../browser/command';
import { describeUnless, itUnless } from '../skips';

type Document = ComparisonReport & { readonly runs?: ComparisonReport[]; readonly error?: { code: string } };

let folder: string;
// The commands wait for each other if the engine must be built.
beforeAll(async () => {
  await loadNodeEngine();
}, 600_000);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function compare(...args: string[]): Promise<{ code: number | null; document: Document; stderr: string }> {
  const { code, stdout, stderr } = await runCommand('compare', ...args, '--json');
  return { code, document: JSON.parse(stdout) as Document, stderr };
}

/** Compares several bundles in one call. */
async function compareMany(...paths: string[]): Promise<{ code: number | null; reports: (Document | null)[] }> {
  const { code, stdout } = await runCommand('compare', ...paths, '--json');
  const { bundles } = JSON.parse(stdout) as { bundles: { report: Document | null }[] };
  return { code, reports: bundles.map(({ report }) => report) };
}

const BUNDLE = 'public/goldens/segmentation-3.0.zip';

/** A zip with changed files of the golden bundle. */
function changedBundle(name: string, change: (files: Record<string, Uint8Array>) => Record<string, Uint8Array>): string {
  const path = join(folder, name);
  writeFileSync(path, zipSync(change(unzipSync(readFileSync(BUNDLE))), { level: 0 }));
  return path;
}

test('a bundle in every form: zip, folder, .npz, loose .npy', async () => {
  const files = unzipSync(readFileSync(BUNDLE));
  const unpacked = join(folder, 'unpacked');
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(unpacked, name)), { recursive: true });
    writeFileSync(join(unpacked, name), bytes);
  }
  const npz = join(folder, 'goldens.npz');
  const arrays = Object.entries(files).filter(([name]) => name.endsWith('.npy'));
  writeFileSync(npz, zipSync(Object.fromEntries(arrays.map(([name, bytes]) => [name.replace(/^.*\//, ''), bytes]))));
  const { code, reports } = await compareMany(BUNDLE, unpacked, npz);
  expect(reports).toHaveLength(3);
  for (const report of reports) {
    expect(report).toMatchObject({ model: 'segmentation-3.0', backend: 'wasm', verdict: 'pass', firstDivergence: null });
    expect(report!.stages.map(({ name }) => name)).toEqual(['sincnet', 'lstm', 'linear1', 'linear2', 'classifier']);
  }
  expect(code).toBe(0);
});

test('an incorrectly exported graph fails against correct goldens', async () => {
  // The same weights with one scaled matrix, like a port with a wrong constant.
  const model = parseOnnx(readFileSync('models/segmentation-3.0/model.onnx'), 'model.onnx');
  const matrix = model.graph!.initializer.find(({ dims }) => dims.length === 2 && dims[0] === 128n && dims[1] === 7n)!;
  const values = new Float32Array(new Uint8Array(matrix.rawData).buffer);
  matrix.rawData = new Uint8Array(values.map((value) => 1.2 * value).buffer);
  const path = join(folder, 'ported.onnx');
  writeFileSync(path, encodeOnnx(model));
  const { code, document } = await compare(BUNDLE, '--model', path);
  expect(code).toBe(1);
  expect(document.firstDivergence).toBe('classifier');
  expect(document.stages.map(({ verdict }) => verdict)).toEqual(['pass', 'pass', 'pass', 'pass', 'fail']);
});

test('an impossible comparison exits with 2 and explains why', async () => {
  const cases: [string, string[], RegExp][] = [
    ['absent', [join(folder, 'absent.zip')], /does not exist/],
    ['missing file', [changedBundle('short.zip', (files) => without(files, 'stages/lstm.npy'))], /stages\/lstm\.npy/],
    ['no graph', [changedBundle('other.zip', (files) => ({ ...files, 'manifest.json': renamed(files['manifest.json']!) }))], /does not ship/],
  ];
  for (const [name, args, message] of cases) {
    const { code, stderr } = await runCommand('compare', ...args);
    expect(stderr, name).toMatch(message);
    expect(code, name).toBe(2);
  }
});

const without = (files: Record<string, Uint8Array>, name: string): Record<string, Uint8Array> =>
  Object.fromEntries(Object.entries(files).filter(([file]) => file !== name));

function renamed(manifest: Uint8Array): Uint8Array {
  const parsed = JSON.parse(new TextDecoder().decode(manifest)) as object;
  return new TextEncoder().encode(JSON.stringify({ ...parsed, model: 'somebody-elses' }));
}

test('several bundles in one call: one passes, one fails, one cannot be read, and the reports contain all of them', async () => {
  const { onnx, bundle } = makeForeignModel();
  const wrong = parseOnnx(onnx, 'net.onnx');
  wrong.graph!.node.at(-1)!.opType = 'Add';
  mkdirSync(join(folder, 'more'));
  const put = (name: string, bytes: Uint8Array | string): void => { writeFileSync(join(folder, name), bytes); };
  put('a.zip', bundle);
  put('a.onnx', onnx);
  put('b.zip', 'no zip at all');
  put('more/c.zip', bundle);
  put('more/c.onnx', encodeOnnx(wrong));
  put('notes.txt', 'notes');
  const [junit, json] = [join(folder, 'out.xml'), join(folder, 'out.json')];
  const { code, stdout, stderr } = await runCommand('compare', folder, '--junit', junit, '--json', json);
  expect(code, stderr).toBe(1);
  const lines = stdout.trimEnd().split('\n');
  expect(lines.map((line) => line.split(/\s+/)[0])).toEqual(['pass', 'error', 'fail', '3']);
  expect(lines.at(-1)).toMatch(/^3 bundles: 1 pass, 1 fail, 1 error; 1 file skipped/);
  expect(stderr).toContain('notes.txt is not a golden bundle');
  const { bundles, counts } = JSON.parse(readFileSync(json, 'utf8')) as { bundles: { status: string; report: Document | null; error: { code: string } | null }[]; counts: object };
  expect(counts).toMatchObject({ pass: 1, fail: 1, error: 1 });
  expect(bundles.map(({ report, error }) => report?.verdict ?? error?.code)).toEqual(['pass', 'format', 'fail']);
  expect(bundles[2]!.report!.firstDivergence).toBe('/blocks.13/output');
  expect(readFileSync(junit, 'utf8')).toMatch(/<testsuites name="compare" tests="9" failures="1" errors="1"/);
});

test('Ctrl-C keeps the reports of finished bundles', async () => {
  const { onnx, bundle } = makeForeignModel();
  for (let index = 0; index < 300; index++) {
    writeFileSync(join(folder, `${index}.zip`), bundle);
    writeFileSync(join(folder, `${index}.onnx`), onnx);
  }
  const json = join(folder, 'out.json');
  const { signal, stdout } = await runUntil('\npass', 'SIGINT', 'compare', folder, '--json', json);
  expect(signal).toBe('SIGINT');
  const { counts } = JSON.parse(readFileSync(json, 'utf8')) as { counts: Record<string, number> };
  const numLines = stdout.trimEnd().split('\n').length;
  expect(counts.pass).toBeGreaterThanOrEqual(numLines);
  expect(counts.pass! + counts['not-run']!).toBe(300);
  expect(counts['not-run']).toBeGreaterThan(0);
});

test('committed graphs of two other exporters', async () => {
  const at = (name: string): string => join('e2e', 'fixtures', 'foreign', name);
  const info = graphInfo(parseOnnx(readFileSync(at('two_inputs.onnx')), 'two_inputs'));
  expect(info.nodes.length).toBeGreaterThanOrEqual(50);
  expect(info.inputs.map(({ dtype }) => dtype).sort()).toEqual(['float32', 'int64']);
  // The graph is beside the bundle.
  const { code, reports } = await compareMany(at('two_inputs.zip'), at('plain.zip'));
  expect(reports).toHaveLength(2);
  for (const report of reports) expect(report).toMatchObject({ verdict: 'pass', firstDivergence: null });
  expect(code).toBe(0);
});

test('stages in isolation: samples and a layer, written as .npy', async () => {
  const samples = join(folder, 'samples.npy');
  const decoded = await runCommand('stage', 'decode', 'public/sample.wav', '--duration', '2', '--out', samples);
  expect(parseNpy(readFileSync(samples), samples).shape).toEqual([32_000]);
  // The written samples are the input for computing a layer.
  const layer = join(folder, 'layer.npy');
  const lstm = await runCommand('stage', 'lstm', samples, '--out', layer);
  expect([decoded.code, lstm.code]).toEqual([0, 0]);
  expect(lstm.stdout).toMatch(/^lstm \(batch, frame, channel\): \(1, 115, 256\)/);
  const { data } = parseNpy(readFileSync(layer), layer);
  expect(data.every((value) => Math.abs(value) <= 1) && data.some((value) => value !== 0)).toBe(true);
  const unknown = await runCommand('stage', 'nonsense', samples);
  expect(unknown.stderr).toMatch(/The stage nonsense does not exist/);
  expect(unknown.code).toBe(2);
});

test('the other stages are computed in isolation and written as .npy', async () => {
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
});

const driver = driverFile();

itUnless(driver === null && NO_DRIVER)('bisection in Node, on the software adapter, finds the node whose values differ and writes it with its inputs', async () => {
  vi.stubEnv('VOXLANE_SOFTWARE_GPU', '1');
  vi.stubEnv('VK_ICD_FILENAMES', driver!);

  const [model, report] = [join(folder, 'random.onnx'), join(folder, 'report.zip')];
  writeNoiseGraph(model);
  const { code, stdout } = await runCommand('bisect', model, '--out', report, '--engine', 'node', '--json');
  expect(foundBy(stdout, report)).toEqual(NOISE_FOUND);
  expect(code).toBe(1);
  vi.unstubAllEnvs();
});

itUnless(driver === null && NO_DRIVER)('diarize on WebGPU in Node, on the software adapter: the log names the adapter, and the turns are those of WASM', async () => {
  vi.stubEnv('VOXLANE_SOFTWARE_GPU', '1');
  vi.stubEnv('VK_ICD_FILENAMES', driver!);
  const diarize = (...options: string[]): ReturnType<typeof runCommand> =>
    runCommand('diarize', 'public/sample.wav', '--start', '7', '--duration', '11', '--format', 'json', '--engine', 'node', ...options);
  const { code, stdout, stderr } = await diarize('--backend', 'webgpu', '--trust-gpu');
  expect(code, stderr).toBe(0);
  const { backend, turns } = JSON.parse(stdout) as DiarizationJson;
  expect(backend.name).toBe('webgpu');
  expect(backend.adapter).toBeTruthy();
  expect(stderr).toContain(`WebGPU on ${backend.adapter}`);
  expect(turns.length).toBeGreaterThan(2);
  const onWasm = await diarize('--backend', 'wasm');
  expect(turns).toEqual((JSON.parse(onWasm.stdout) as DiarizationJson).turns);
  vi.unstubAllEnvs();
});

test('a stage has notes about repairs', async () => {
  const repaired = await runCommand('stage', 'segmentation', 'e2e/fixtures/cases/wav_data_22_bytes_too_long.wav');
  expect(repaired.code, repaired.stderr).toBe(0);
  expect(repaired.stderr).toContain('note: The file breaks off at 4.096 s');
});

describeUnless(NO_SHARED)('bundles from other projects', () => {
  test('pass on WASM; for bundles with one wrong stage, only this stage and its cause are reported', async () => {
    const names = ['seg_dev00', 'cam_dev00', 'seg_dev00.bad_sincnet_transposed', 'seg_dev00.bad_lstm_scaled'];
    const { code, reports } = await compareMany(...names.map((name) => join(SHARED, 'goldens', `${name}.zip`)));
    expect(code).toBe(1);
    expect(reports.map((report) => [report?.verdict, report?.firstDivergence])).toEqual([
      ['pass', null],
      ['pass', null],
      ['fail', 'sincnet'],
      ['fail', 'lstm'],
    ]);
    for (const report of reports.slice(0, 2)) {
      expect(report!.stages[0]!.tolerance).toEqual({ maxAbs: 0.01, rtol: 1e-4, atol: 2 ** -23, cosine: 0.999 });
    }
    const [, , transposed, scaled] = reports;
    expect(transposed!.stages[0]!.causes.map(({ id }) => id)).toEqual(['permuted-axes']);
    expect(transposed!.stages.slice(1).map(({ verdict, causes }) => [verdict, causes.length])).toEqual(Array(4).fill(['pass', 0]));
    const [cause, ...others] = scaled!.stages[1]!.causes;
    expect(cause!.id).toBe('scaled');
    expect(Math.abs((cause!.values.factor as number) - 1.05)).toBeLessThanOrEqual(0.001);
    expect(others).toEqual([]);
  });
});
