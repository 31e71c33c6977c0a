import type { RunNode, Shape } from '../../src/onnx/work';

/** A node of a profiled graph as executed by the runtime, after fusion. */
export interface ProfiledNode extends RunNode {
  readonly name: string;
  /** Minimum of the counted runs: kernel time on WASM, command recording time on WebGPU. */
  readonly cpuMs: number;
  /** GPU time of all its kernels, mean over the counted runs; 0 on WASM. */
  readonly gpuMs: number;
  /** Number of GPU kernels in one run. */
  readonly kernels: number;
}

export interface Trace {
  /** In execution order. */
  readonly nodes: readonly ProfiledNode[];
  /** Time of a whole run inside the runtime, minimum of the counted runs. */
  readonly runMs: number;
}

/** The used fields of an event in ONNX Runtime's trace; `dur` is in microseconds. */
interface TraceEvent {
  readonly cat: string;
  readonly name: string;
  readonly dur: number;
  readonly args: {
    readonly op_name?: string;
    readonly input_type_shape?: readonly Readonly<Record<string, Shape>>[];
    readonly output_type_shape?: readonly Readonly<Record<string, Shape>>[];
  };
}

const NODE_SUFFIX = '_kernel_time';
const END_OF_RUN = 'model_run';

/**
 * Reads the trace of a session.
 *
 * A node has one event per run. Each of its GPU kernels has another event in the category `Api`, named
 * `node&operator&kernel`. The kernel events of all runs come at the end.
 *
 * The minimum time of the runs counts, because other load only adds time and can double a median.
 *
 * @param lines one event per line, as JSON
 * @param warmUps number of runs at the start that do not count
 * @throws Error if the trace has no counted run, or if nodes differ between runs
 */
export function readTrace(lines: readonly string[], warmUps: number): Trace {
  const events = lines.map((line) => JSON.parse(line) as TraceEvent);
  const runs: TraceEvent[][] = [];
  let run: TraceEvent[] = [];
  const runMs: number[] = [];
  const kernels = new Map<string, number[]>();
  for (const event of events) {
    if (event.cat === 'Node' && event.name.endsWith(NODE_SUFFIX)) run.push(event);
    else if (event.cat === 'Api') addTo(kernels, event.name.replace(/&.*/, ''), event.dur / 1000);
    else if (event.name === END_OF_RUN) {
      runs.push(run);
      run = [];
      runMs.push(event.dur / 1000);
    }
  }
  const counted = runs.slice(warmUps);
  const [first] = counted;
  if (!first || first.length === 0) throw new Error('the profile has no run of the graph');
  const nodes = first.map(({ name, args }, index) => {
    const same = counted.map((run) => run[index]);
    if (same.some((event) => event?.name !== name)) throw new Error(`the runs differ at the node ${name}`);
    const ownName = name.slice(0, -NODE_SUFFIX.length);
    const ownKernels = kernels.get(ownName) ?? [];
    // The format allows duplicate node names. The first node gets all kernels.
    kernels.delete(ownName);
    return {
      name: ownName,
      op: args.op_name ?? '',
      inputs: (args.input_type_shape ?? []).flatMap((shape) => Object.values(shape)),
      outputs: (args.output_type_shape ?? []).flatMap((shape) => Object.values(shape)),
      cpuMs: Math.min(...same.map((event) => event!.dur / 1000)),
      ...kernelsOf(ownKernels, runMs.length, warmUps),
    };
  });
  return { nodes, runMs: Math.min(...runMs.slice(warmUps)) };
}

/** Kernels of a node. Each run has the same number, unless the node caches results of the first run. */
function kernelsOf(ms: readonly number[], numRuns: number, warmUps: number): Pick<ProfiledNode, 'gpuMs' | 'kernels'> {
  const perRun = Math.floor(ms.length / numRuns);
  const counted = ms.slice(ms.length - perRun * (numRuns - warmUps));
  const sum = counted.reduce((total, value) => total + value, 0);
  return { gpuMs: perRun === 0 ? 0 : sum / (numRuns - warmUps), kernels: perRun };
}

function addTo(lists: Map<string, number[]>, key: string, value: number): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}
