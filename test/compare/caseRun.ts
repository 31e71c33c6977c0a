import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GoldenBundle } from '../../src/compare/files/bundle';
import type { DecisionRule } from '../../src/compare/decisions/rule';
import { readGoldens } from '../../src/compare/files/goldenFiles';
import { GraphRunner, openBranches } from '../../src/compare/graphRunner';
import { makePlan, type Plan } from '../../src/compare/plan';
import { compareStages, type RunResult } from '../../src/compare/run';
import type { ToleranceOverride } from '../../src/compare/stageTolerance';
import { graphInfo, parseOnnx } from '../../src/onnx/model';
import { SHARED, SHARED_MISSING } from '../shared';
import type { ModelProto } from '../../src/onnx/onnx_pb';
import { openNodeSession } from './nodeSession';

/** Folder of golden bundles and graphs, one for each kind of fault that a comparison must report correctly. */
export const CASES = join('test', 'compare', 'cases');
/** Folder that also contains cases too large for the repository. */
export const ALL_CASES = join(SHARED, 'cases', 'compare');

/** Why tests of {@link ALL_CASES} are skipped; null if the folder exists. */
export const NO_CASES = existsSync(ALL_CASES) ? null : SHARED_MISSING;

export interface Case {
  readonly bundle: GoldenBundle;
  readonly plan: Plan;
  readonly run: RunResult;
}

/** Compares the case `NAME.zip` in Node. @param graph defaults to the graph in the bundle, else `NAME.onnx` */
export async function runCase(name: string, graph?: string, folder = CASES): Promise<Case> {
  const file = `${name}.zip`;
  const path = join(folder, graph ?? `${name}.onnx`);
  const readGraph = (): Uint8Array => readFileSync(path);
  const inputs = existsSync(path) ? graphInfo(parseOnnx(readGraph(), path)).inputs.map((input) => input.name) : [];
  const bundle = readGoldens([{ name: file, bytes: readFileSync(join(folder, file)) }], [], inputs);
  return runBundle(bundle, graph === undefined && bundle.graph ? bundle.graph : readGraph());
}

interface RunOptions {
  readonly tolerance?: ToleranceOverride;
  readonly thorough?: boolean;
  readonly decisions?: DecisionRule;
}

/** Compares a bundle with a graph in Node. */
export async function runBundle(bundle: GoldenBundle, graph: Uint8Array, options?: RunOptions): Promise<Case> {
  return runModel(bundle, await withOpenBranches(bundle, parseOnnx(graph, 'the graph')), options);
}

/** The graph with those branches inlined that run for the inputs of the bundle. */
export async function withOpenBranches(bundle: GoldenBundle, whole: ModelProto): Promise<ModelProto> {
  return (await openBranches(whole, makePlan(bundle, graphInfo(whole), null).feeds, openNodeSession)).model;
}

/** Compares a bundle with a graph in Node without inlining branches. */
export async function runModel(bundle: GoldenBundle, model: ModelProto, { tolerance, thorough = false, decisions }: RunOptions = {}): Promise<Case> {
  const plan = makePlan(bundle, graphInfo(model), null);
  const runner = { graph: new GraphRunner(model, { open: openNodeSession }), features: null };
  try {
    const run = await compareStages({ plan, model, runner, variants: runner, thorough, tolerance, decisions, onStep: () => undefined });
    return { bundle, plan, run };
  } finally {
    await runner.graph.release();
  }
}
