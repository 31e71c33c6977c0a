import type { EngineName } from './engineNames';
import { loadNodeCommands } from './nodeEngine';
import { say } from './output';
import { HAS_BROWSER, OTHER_GPU } from './place';
import { UsageError } from './usage';

/**
 * Where a command runs: in Node, or in a browser if WebGPU is required and Node has no hardware adapter.
 *
 * @param asked value of `--engine`
 * @throws UsageError for the browser in the package, which has none; Error with a one-line message if Node has no GPU
 */
export async function chooseEngine(asked: EngineName | undefined, needsGpu: boolean): Promise<EngineName> {
  requireEngine(asked);
  if (asked === 'browser' || !needsGpu) return asked ?? 'node';
  const missing = await (await loadNodeCommands(say)).missingForGpu();
  if (missing === null) return 'node';
  if (asked === undefined && HAS_BROWSER) return 'browser';
  throw new Error(`WebGPU is not available in Node: ${missing === 'package' ? PACKAGE : ADAPTER}, or ${OTHER_GPU}`);
}

const PACKAGE = 'the package webgpu is missing. Install it with "npm install webgpu"';
const ADAPTER = 'there is no hardware adapter. Install the driver of the GPU';

/** @throws UsageError for the browser in the package, which has none */
export function requireEngine(asked: EngineName | undefined): void {
  if (asked === 'browser' && !HAS_BROWSER) throw new UsageError('--engine browser needs a clone of the repository. Use --engine node, the default');
}
