import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cpuSegmentFeatures } from '../../src/embedding/gpuGather';
import { graphInfo, parseOnnx } from '../../src/onnx/model';
import type { ModelProto } from '../../src/onnx/onnx_pb';
import type { Session } from '../../src/ort/session';
import { withNodeFault, type NodeFault } from '../onnx/alterNode';
import { parseManifest, SHIPPED_MODELS, type ShippedModel } from '../../src/store/manifest';
import { readBundle, type GoldenBundle } from '../../src/compare/files/bundle';
import { GraphRunner } from '../../src/compare/graphRunner';
import { makePlan, type AnyManifest } from '../../src/compare/plan';
import { compareStages, type RunResult } from '../../src/compare/run';
import { openNodeSession } from './nodeSession';

/** A bundled model and its goldens. */
export interface ShippedCase {
  readonly model: ModelProto;
  readonly manifest: AnyManifest;
  readonly bundle: GoldenBundle;
}

export function shippedCase(id: ShippedModel): ShippedCase {
  const json: unknown = JSON.parse(readFileSync(join('models', id, 'manifest.json'), 'utf8'));
  return {
    model: parseOnnx(readFileSync(join('models', id, 'model.onnx')), id),
    manifest: parseManifest<'segmentation' | 'embedding'>(SHIPPED_MODELS[id], json, id),
    bundle: readBundle(readFileSync(join('public', 'goldens', `${id}.zip`))),
  };
}

/** Opens sessions on a backend that computes one node incorrectly, or on a correct backend if `fault` is undefined. */
export const openWithFault =
  (fault: NodeFault | undefined) =>
  (bytes: Uint8Array): Promise<Session> =>
    openNodeSession(fault ? withNodeFault(bytes, fault) : bytes);

/** Compares in Node, on a backend with `fault`. */
export async function compareInNode(
  { model, manifest, bundle }: ShippedCase,
  { thorough = false, fault }: { thorough?: boolean; fault?: NodeFault } = {},
): Promise<RunResult> {
  const plan = makePlan(bundle, graphInfo(model), manifest);
  const features = plan.features && cpuSegmentFeatures(plan.features.facts, plan.features.sampleRate);
  const runner = { graph: new GraphRunner(model, { open: openWithFault(fault) }), features };
  const variants = { graph: new GraphRunner(model, { open: openNodeSession }), features };
  try {
    return await compareStages({ plan, model, runner, variants, thorough, onStep: () => undefined });
  } finally {
    await runner.graph.release();
    await variants.graph.release();
  }
}
