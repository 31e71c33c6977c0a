import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withOpenBranches } from '../../test/compare/caseRun';
import type { GoldenBundle } from '../../src/compare/files/bundle';
import { readGoldens } from '../../src/compare/files/goldenFiles';
import { graphInfo, parseOnnx } from '../../src/onnx/model';
import type { ModelProto } from '../../src/onnx/onnx_pb';

/** A model with intermediate values from onnxruntime in Python. */
export interface PackageModel {
  /** With the branches inlined that run for the inputs of the bundle. */
  readonly model: ModelProto;
  readonly bundle: GoldenBundle;
}

/** @param folder as written by models/package_models.py */
export async function readPackageModel(folder: string, name: string): Promise<PackageModel> {
  const whole = parseOnnx(readFileSync(join(folder, `${name}.onnx`)), name);
  const file = `${name}.npz`;
  const inputs = graphInfo(whole).inputs.map((input) => input.name);
  const bundle = readGoldens([{ name: file, bytes: readFileSync(join(folder, file)) }], [], inputs);
  return { model: await withOpenBranches(bundle, whole), bundle };
}
