/**
 * Runs first in each thread of the engine: counts its GPU calls by stage, and prints errors of kernels. After such an
 * error, the product tries ONNX Runtime, so nothing else would report it.
 */
import { getEnvironmentData, parentPort } from 'node:worker_threads';
import type * as Dawn from 'webgpu';
import { installGpuMeter } from '../../test/browser/gpuMeter';
import { addCounts, METER_KEY, type MeterData } from './meterShare';
import { GPU_STAGES } from './stages';

type Meter = ReturnType<typeof installGpuMeter>;

/** A call of Comlink, as in `gpuMeter.ts`. */
interface Call {
  readonly path?: readonly string[];
  readonly argumentList?: readonly { readonly value?: { readonly backend?: unknown } }[];
}

const data = getEnvironmentData(METER_KEY) as MeterData | undefined;
if (data && parentPort) watch(data, parentPort);

function watch({ counts, dawn }: MeterData, port: NonNullable<typeof parentPort>): void {
  let meter: Meter | null = null;
  const onCall = (call: Call | null): void => {
    const method = call?.path?.[0];
    // Only the threads of the models load Dawn.
    if (method === 'load' && call?.argumentList?.[0]?.value?.backend === 'webgpu') {
      void install(dawn).then((installed) => { meter = installed; });
    }
    meter?.enter(method === 'segment' ? 'segmentation' : method === 'embed' ? 'embedding' : 'other');
    if (method === 'segment') addCounts(counts, 'segmentation', { batches: 1 });
    if (method === 'embed') for (const stage of ['fbank', 'embedding'] as const) addCounts(counts, stage, { batches: 1 });
  };
  // Before the listeners of the worker. A listener that is added now would start the port before they exist.
  const on = port.on.bind(port);
  let isWatching = false;
  port.on = ((event: string, listener: (value: unknown) => void) => {
    if (event === 'message' && !isWatching) {
      isWatching = true;
      on('message', onCall);
    }
    return on(event, listener);
  }) as typeof port.on;
  // Before each reply, so that the caller has the counts when a call returns.
  const post = port.postMessage.bind(port);
  port.postMessage = (...parameters) => {
    const taken = meter?.take() ?? {};
    for (const stage of GPU_STAGES) addCounts(counts, stage, taken[stage] ?? {});
    post(...parameters);
  };
}

async function install(dawn: string): Promise<Meter> {
  const { globals } = (await import(dawn)) as typeof Dawn;
  Object.assign(globalThis, globals);
  printKernelErrors();
  return installGpuMeter();
}

function printKernelErrors(): void {
  const say = (label: string, problem: string): void => {
    process.stderr.write(`the kernel ${label} does not compile: ${problem.trim().replace(/\s*\n\s*/g, ' ')}\n`);
  };
  /* eslint-disable @typescript-eslint/unbound-method -- called with the receiver of the patched method */
  const { createComputePipelineAsync } = GPUDevice.prototype;
  const { getCompilationInfo } = GPUShaderModule.prototype;
  /* eslint-enable @typescript-eslint/unbound-method */
  GPUDevice.prototype.createComputePipelineAsync = async function (descriptor) {
    try {
      return await createComputePipelineAsync.call(this, descriptor);
    } catch (error) {
      say(descriptor.label ?? '', String(error));
      throw error;
    }
  };
  GPUShaderModule.prototype.getCompilationInfo = async function () {
    const info = await getCompilationInfo.call(this);
    for (const { type, lineNum, message } of info.messages) if (type === 'error') say(this.label, `line ${lineNum}: ${message}`);
    return info;
  };
}
