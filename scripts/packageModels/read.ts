import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openNodeSession } from '../../test/compare/nodeSession';
import type { GoldenBundle } from '../../src/compare/bundle';
import { readGoldens } from '../../src/compare/files/goldenFiles';
import { GraphRunner } from '../../src/compare/graphRunner';
import { openBranches } from '../../src/compare/openBranches';
import { makePlan, type Plan } from '../../src/compare/plan';
import { compareStages, type RunResult } from '../../src/compare/run';
import { graphInfo, parseOnnx } from '../../src/onnx/model';
import type { ModelProto } from '../../src/onnx/onnx_pb';

/** A model with what onnxruntime in Python computes inside of it. */
export interface PackageModel {
  readonly name: string;
  /** With the branches opened that run for the inputs of the bundle. */
  readonly model: ModelProto;
  readonly bundle: GoldenBundle;
}

/** @param folder as written by models/package_models.py */
export async function readPackageModel(folder: string, name: string): Promise<PackageModel> {
  const whole = parseOnnx(readFileSync(join(folder, `${name}.onnx`)), name);
  const info = graphInfo(whole);
  const file = `${name}.npz`;
  const inputs = info.inputs.map((input) => input.name);
  const bundle = readGoldens([{ name: file, bytes: readFileSync(join(folder, file)) }], [], inputs);
  const { model } = await openBranches(whole, makePlan(bundle, info, null).feeds, openNodeSession);
  return { name, model, bundle };
}

/** Compares on the WASM runtime in Node. */
export async function comparePackageModel({ model, bundle }: PackageModel, thorough = false): Promise<{ plan: Plan; run: RunResult }> {
  const plan = makePlan(bundle, graphInfo(model), null);
  const runner = { graph: new GraphRunner(model, { open: openNodeSession }), features: null };
  try {
    return { plan, run: await compareStages({ plan, model, runner, variants: runner, thorough, onStep: () => undefined }) };
  } finally {
    await runner.graph.release();
  }
}
