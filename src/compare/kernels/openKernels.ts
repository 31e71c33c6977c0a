/** The kernels of our own that a diarizer uses for a known model, for a comparison with golden outputs. */
import { readCampplus } from '../../embedding/campplusGraph';
import { CampplusNet } from '../../embedding/campplusNet';
import type { ModelProto } from '../../onnx/model';
import { graphInfo } from '../../onnx/model';
import { splitAtPooling, type PooledNetwork } from '../../onnx/pooled';
import { readPyannet } from '../../segmentation/pyannetGraph';
import { PyannetNet } from '../../segmentation/pyannetNet';
import { VoxlaneError } from '../../util/errors';
import type { ValueRunner } from '../graphRunner';
import type { AnyManifest, Plan } from '../plan';
import { KernelRunner } from './kernelRunner';
import { PooledRunner, poolOnCpu } from './pooledRunner';

/** Whether a network pools statistics with our own kernels. */
const isPooled = (manifest: AnyManifest): boolean => manifest.task === 'embedding' && manifest.pooling === 'statistics';

/** Whether a diarizer runs this graph on our own kernels, in whole or in part. ONNX Runtime runs any other graph. */
export function hasKernels(model: ModelProto, manifest: AnyManifest | null): boolean {
  if (!manifest) return false;
  const names = { input: manifest.input.name, output: manifest.output.name };
  return (
    ifRead(() => {
      if (manifest.task === 'segmentation') readPyannet(model, names);
      else if (isPooled(manifest)) splitAtPooling(model);
      else readCampplus(model, names);
      return true;
    }) ?? false
  );
}

/**
 * Opens the kernels that a diarizer runs on WASM.
 *
 * @param runtime runs the parts of the graph for which there is no kernel
 * @throws VoxlaneError `model-invalid` for a graph that the kernels do not compute, `backend-unavailable` without SIMD
 */
export function openKernels(model: ModelProto, manifest: AnyManifest, runtime: ValueRunner): ValueRunner {
  if (isPooled(manifest)) {
    const network = splitAtPooling(model);
    return new PooledRunner(runtime, network, poolOnCpu(network.head));
  }
  const isSegmentation = manifest.task === 'segmentation';
  const network = isSegmentation ? PyannetNet.ofModel(model, manifest) : CampplusNet.ofModel(model, manifest);
  return new KernelRunner(graphInfo(model), network, manifest.input.name, !isSegmentation);
}

/** The network that our WGSL kernels pool on a GPU; null if the model has no such pooling. */
export const pooledNetworkOf = (model: ModelProto, manifest: AnyManifest | null): PooledNetwork | null =>
  manifest && isPooled(manifest) ? ifRead(() => splitAtPooling(model)) : null;

/** The plan with the stages whose values the kernels give. The others count as not compared. */
export function planForKernels(plan: Plan, runner: ValueRunner): Plan {
  if (!(runner instanceof KernelRunner)) return plan;
  const given = new Set(runner.valueNames);
  const isGiven = ({ isFeatures, value }: Plan['stages'][number]): boolean => isFeatures || given.has(value);
  const left = new Set([...plan.stages.filter((stage) => !isGiven(stage)).map(({ golden }) => golden), ...plan.unmapped]);
  const order = new Map(plan.bundleOrder.map((name, index) => [name, index]));
  const unmapped = [...left].toSorted((a, b) => order.get(a.name)! - order.get(b.name)!);
  return { ...plan, stages: plan.stages.filter(isGiven), unmapped };
}

/** Null if the graph is another one. */
function ifRead<Result>(read: () => Result): Result | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof VoxlaneError && error.code === 'model-invalid') return null;
    throw error;
  }
}
