import type { RuntimeBackend } from '../src/compare/report';
import type { ComparisonEngine } from './comparisonEngine';
import { chooseEngine } from './engineChoice';
import type { EngineName } from './engineNames';
import { NodeComparison } from './nodeComparison';
import { say } from './output';
import { openBrowserComparison } from './place';

interface ComparisonOptions {
  /** Undefined: Node, or a browser if WebGPU is required and Node has no GPU. */
  readonly engine: EngineName | undefined;
  readonly backends: readonly RuntimeBackend[];
  /** Whether each step is reported on standard error. Default true. */
  readonly hasSteps?: boolean;
  /** Name of the command, for messages. */
  readonly command: string;
  /** What the user can do if the browser keeps ending. */
  readonly advice?: string;
}

/** @throws Error with a one-line message if the engine is not available */
export async function openComparison({ engine, backends, hasSteps = true, command, advice }: ComparisonOptions): Promise<ComparisonEngine> {
  const needsGpu = backends.includes('webgpu');
  const sayStep = hasSteps ? stepLine() : null;
  const name = await chooseEngine(engine, needsGpu);
  return name === 'node' ? new NodeComparison(sayStep) : openBrowserComparison({ needsGpu, sayStep, command, advice });
}

/** Prints a step unless it is the one of the last line. */
function stepLine(): (step: string) => void {
  let last = '';
  return (step) => {
    if (step !== last) say(`  ${step}`);
    last = step;
  };
}
