/**
 * Compares every case of ONNX's test suite on the WASM runtime in Node:
 *
 *     pip download onnx==1.20.1 --no-deps && python -m zipfile -e onnx-*.whl onnx-package
 *     npm run onnx-suites -- onnx-package/onnx/backend/test/data
 *
 * A "wrong fail" is a case whose expected outputs do not pass. A "wrong pass" is a case that still passes after one output
 * value was changed. With `--thorough`, passing cases must have no cause. Refusals must name an operator and the reason. Exit
 * status 1 if there is a wrong pass, a wrong fail, or an untyped error.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import * as ort from 'onnxruntime-web';
import { runBundle } from '../test/compare/caseRun';
import type { GoldenBundle, GoldenStage } from '../src/compare/files/bundle';
import type { NamedFile } from '../src/compare/files/goldenFiles';
import { coverageOf, outcomeOf } from '../src/compare/verdict';
import { readOnnxTest } from '../src/compare/files/onnxTest';
import { graphInfo, parseOnnx } from '../src/onnx/model';
import { VoxlaneError } from '../src/util/errors';

const SUITES = ['node', 'simple', 'pytorch-operator', 'pytorch-converted'];

/** Tolerance of `onnx.backend.test`. Some expected outputs have only four decimals. */
const TOLERANCE = { rtol: 1e-3 };

/**
 * Cases for which ONNX Runtime differs from the ONNX reference. onnxruntime 1.32 in Python computes the same values as the
 * WASM runtime, so these failures are correct.
 */
const RUNTIME_DIFFERS: readonly RegExp[] = [
  // `qk_matmul_output` is taken before the bias or softcap instead of after it.
  /^test_attention_\dd_with_(past_and_present_)?qk_matmul_(bias|softcap)/,
  // The norm of a zero vector is 0, which causes NaN instead of 0.
  /^test_l2normalization_axis_0$/,
  /^test_maxunpool_export_with_output_shape$/,
  // int8 inputs.
  /^test_qlinearmatmul_[23]D_int8_float(16|32)$/,
  /^test_resize_downsample_scales_(cubic|linear)_align_corners$/,
  // Different random numbers.
  /^test_training_dropout(_default)?(_mask)?$/,
];

type Result = 'pass' | 'right fail' | 'wrong fail' | 'wrong pass' | 'wrong cause' | 'refused' | 'refused without operator' | 'untyped error';

interface Outcome {
  readonly result: Result;
  /** Failed stages, or the reason for the refusal. */
  readonly detail: string;
}

async function runCaseIn(folder: string): Promise<Outcome> {
  const graph = readFileSync(join(folder, 'model.onnx'));
  const info = graphInfo(parseOnnx(graph, folder, (location) => fileIn(folder, location)));
  try {
    const bundle = readOnnxTest(filesIn(folder), info);
    const { run, plan } = await runBundle(bundle, graph, { tolerance: TOLERANCE, thorough: true });
    const outcome = outcomeOf(run.verdict, coverageOf(plan));
    if (outcome === 'incomplete') return { result: 'refused', detail: bundle.notes.join('; ') || 'all expected values are NaN or infinite' };
    if (outcome !== 'pass') {
      const failing = run.stages.filter(({ verdict }) => verdict === 'fail');
      return { result: RUNTIME_DIFFERS.some((name) => name.test(basename(folder))) ? 'right fail' : 'wrong fail', detail: failing.map(({ name, relative: error, maxAbs }) => `${name} (relative ${error}, greatest ${maxAbs})`).join(', ') };
    }
    const causes = run.stages.flatMap((stage) => stage.causes.map(({ id }) => `${stage.name}: ${id}`));
    if (causes.length > 0) return { result: 'wrong cause', detail: causes.join(', ') };
    for (const stage of bundle.stages) {
      const changed = withOneChange(stage);
      if (changed === null) continue;
      const { run: again } = await runBundle(withStage(bundle, changed), graph, { tolerance: TOLERANCE });
      if (again.verdict === 'pass') return { result: 'wrong pass', detail: `${stage.name} with one value changed` };
    }
    return { result: 'pass', detail: '' };
  } catch (error) {
    if (error instanceof VoxlaneError) {
      const isNamed = info.nodes.some(({ op }) => new RegExp(`\\b${op}\\b`).test(error.problem));
      return { result: isNamed ? 'refused' : 'refused without operator', detail: error.problem };
    }
    return { result: 'untyped error', detail: String(error) };
  }
}

const fileIn = (folder: string, location: string): Uint8Array | undefined =>
  existsSync(join(folder, location)) ? readFileSync(join(folder, location)) : undefined;

function filesIn(folder: string): NamedFile[] {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return paths.map((entry) => {
    const path = join(entry.parentPath, entry.name);
    return { name: relative(folder, path).replaceAll('\\', '/'), bytes: readFileSync(path) };
  });
}

const withStage = (bundle: GoldenBundle, changed: GoldenStage): GoldenBundle => ({
  ...bundle,
  stages: bundle.stages.map((stage) => (stage.name === changed.name ? changed : stage)),
});

/** The stage with one value changed by more than the root mean square of all values; null if it is empty. */
function withOneChange(stage: GoldenStage): GoldenStage | null {
  const { data } = stage;
  const index = data.findIndex(Number.isFinite);
  if (data.length === 0) return null;
  const place = Math.max(index, 0);
  const rms = Math.sqrt(data.reduce((sum, value) => sum + (Number.isFinite(value) ? value * value : 0), 0) / data.length);
  const changed = data.slice();
  changed[place] = stage.storedAs === 'bool' ? 1 - data[place]! : index < 0 ? 0 : data[place]! + Math.ceil(rms) + 1;
  const { name, axes, shape, tolerance, value } = stage;
  // Omit values with more than float32 precision, which would hide the change. The stage is compared as float32.
  return { name, axes, shape, tolerance, value, data: changed };
}

async function main(): Promise<number> {
  // Warnings about old versions would hide the results.
  ort.env.logLevel = 'fatal';
  const [folder] = process.argv.slice(2);
  if (folder === undefined || !existsSync(join(folder, 'node'))) {
    console.error('usage: npm run onnx-suites -- FOLDER, with the folders node, simple, pytorch-operator and pytorch-converted of onnx/backend/test/data');
    return 2;
  }
  const refusals = new Map<string, string[]>();
  let status = 0;
  for (const suite of SUITES) {
    const counts: Record<Result, number> = { pass: 0, 'right fail': 0, 'wrong fail': 0, 'wrong pass': 0, 'wrong cause': 0, refused: 0, 'refused without operator': 0, 'untyped error': 0 };
    for (const name of readdirSync(join(folder, suite)).sort()) {
      const path = join(folder, suite, name);
      if (!existsSync(join(path, 'model.onnx'))) continue;
      const { result, detail } = await runCaseIn(path);
      counts[result]++;
      if (result === 'refused') refusals.set(detail, [...(refusals.get(detail) ?? []), name]);
      else if (result !== 'pass' && result !== 'right fail') console.log(`${suite}/${name}: ${result}: ${detail}`);
      if (result !== 'pass' && result !== 'right fail' && result !== 'refused') status = 1;
    }
    console.log(`${suite}: ${Object.entries(counts).map(([result, count]) => `${count} ${result}`).join(', ')}`);
  }
  console.log('\nRefusals by reason:');
  for (const [reason, names] of [...refusals].toSorted(([, a], [, b]) => b.length - a.length)) {
    console.log(`${names.length}: ${reason} (${names.slice(0, 3).join(', ')})`);
  }
  return status;
}

process.exitCode = await main();
