/** The work of the commands in the build for Node. Not exported by the package. */
import { requestAdapter } from '../../src/gpu/adapter';
import { findGpu } from '../../src/util/host';

export { Comparator } from '../../src/engine/comparator';
export { bisectFiles, compareFiles, listFiles, roundFiles } from './comparisons';
export { computeStage } from './stages';

/** What WebGPU lacks here: the package `webgpu`, or a hardware adapter. Null if it can run. */
export async function missingForGpu(): Promise<'package' | 'adapter' | null> {
  if (!(await findGpu())) return 'package';
  return (await requestAdapter()) ? null : 'adapter';
}
