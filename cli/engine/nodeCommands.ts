/** The work of the commands in the build for Node. Not exported by the package. */
import { requestAdapter } from '../../src/gpu/adapter';
import { findGpu } from '../../src/util/host';
import { delayTiering } from './delayTiering';

export { Comparator } from '../../src/engine/comparator';
export { bisectFiles, compareFiles, listFiles, roundFiles } from './comparisons';
export { computeStage } from './stages';

/** What WebGPU lacks here: the package `webgpu`, or a hardware adapter. Null if it can run; then this prepares V8 for it. */
export async function missingForGpu(): Promise<'package' | 'adapter' | null> {
  if (!(await findGpu())) return 'package';
  if (!(await requestAdapter())) return 'adapter';
  delayTiering();
  return null;
}
