/** Runs first in each thread of the engine: plants an error in a kernel of a network, from one of its passes on. */
import { getEnvironmentData, parentPort } from 'node:worker_threads';
import type * as Dawn from 'webgpu';
import { installPlanter, type PlantedError } from './planted';

/** Name of the data that new threads receive. */
export const FAULT_KEY = 'voxlane GPU fault';

/** The error of all threads that start from now on. */
export interface ThreadFault {
  /** Address of the package `webgpu`. */
  readonly dawn: string;
  readonly network: 'segmentation' | 'embedding';
  /** Number of passes of the network before the error. */
  readonly afterPasses: number;
  readonly error: PlantedError;
  /** The only dispatch with the error, among those of the kernel in a pass. */
  readonly only: number;
}

const fault = getEnvironmentData(FAULT_KEY) as ThreadFault | undefined;
if (fault && parentPort) watch(fault, parentPort);

function watch(given: ThreadFault, port: NonNullable<typeof parentPort>): void {
  // Before the listeners of the worker. A listener that is added now would start the port before they exist.
  const on = port.on.bind(port);
  let isWatching = false;
  port.on = ((event: string, listener: (value: unknown) => void) => {
    if (event === 'message' && !isWatching) {
      isWatching = true;
      // Only the threads of the models load Dawn.
      on('message', (call: { readonly path?: readonly string[]; readonly argumentList?: readonly { readonly value?: { readonly backend?: unknown } }[] } | null) => {
        if (call?.path?.[0] === 'load' && call.argumentList?.[0]?.value?.backend === 'webgpu') void install(given);
      });
    }
    return on(event, listener);
  }) as typeof port.on;
}

async function install({ dawn, network, afterPasses, error, only }: ThreadFault): Promise<void> {
  const { globals } = (await import(dawn)) as typeof Dawn;
  Object.assign(globalThis, globals);
  const planter = installPlanter();
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with the receiver of the patched method
  const { beginComputePass } = GPUCommandEncoder.prototype;
  let numPasses = 0;
  GPUCommandEncoder.prototype.beginComputePass = function (descriptor) {
    if (descriptor?.label === network && numPasses++ === afterPasses) {
      planter.plant(error, only);
      process.stderr.write(`the ${network} is wrong from pass ${numPasses} on\n`);
    }
    return beginComputePass.call(this, descriptor);
  };
}
