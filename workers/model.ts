import { FaultInjector, type SimulatedFault } from '../src/gpu/faults';
import { openGpu, type GpuContext } from '../src/gpu/context';
import { openGraph, type Graph } from '../src/ort/graph';
import { loadModel } from '../src/store/load';
import type { Manifests } from '../src/store/manifest';
import type { LoadReply, LoadRequest } from './contracts';

/** A model as a worker holds it. */
export interface WorkerModel<Manifest> {
  readonly manifest: Manifest;
  readonly graph: Graph;
  /** The device that the model runs on; null on WASM. */
  readonly gpu: GpuContext | null;
  readonly reply: LoadReply<Manifest>;
}

/** Loads a checked model and makes its session, on a device of its own where the backend is WebGPU. */
export async function openModel<Task extends keyof Manifests & SimulatedFault['stage']>(
  task: Task,
  { modelId, modelsBase, runtimeBase, backend, threads, simulateFault }: LoadRequest,
): Promise<WorkerModel<Manifests[Task]>> {
  const { manifest, bytes } = await loadModel(task, modelId, modelsBase);
  const gpu = backend === 'webgpu' ? await openGpu() : null;
  const faults = new FaultInjector(simulateFault, task);
  const graph = await openGraph(bytes, manifest, { runtimeBase, threads, gpu, faults });
  const reply = { manifest, adapter: gpu?.adapterName ?? null };
  return { manifest, graph, gpu, reply };
}
