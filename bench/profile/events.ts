import type { RunNode, Shape } from '../../src/onnx/work';

/** A node of a profiled graph, as the runtime ran it: after its fusions. */
export interface ProfiledNode extends RunNode {
  readonly name: string;
  /** Least of the counted runs: of the kernel on WASM; on WebGPU of recording its commands. */
  readonly cpuMs: number;
  /** Mean over the counted runs, of all its kernels on the GPU; 0 on WASM. */
  readonly gpuMs: number;
  /** Kernels on the GPU in one run. */
  readonly kernels: number;
}

export interface Trace {
  /** In the order in which they ran. */
  readonly nodes: readonly ProfiledNode[];
  /** Least of the counted runs, of the whole run inside the runtime. */
  readonly runMs: number;
}

/** An event of ONNX Runtime's trace, as far as it is needed here; `dur` in microseconds. */
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
 * A node has one event a run, and each of its kernels on the GPU one more, in the category `Api`, named
 * `node&operator&kernel`. Those of all runs come at the end.
 *
 * Of the runs' times the least is taken: what else the machine does only adds, and can double a median.
 *
 * @param lines one event each, JSON
 * @param warmUps runs at the start that do not count
 * @throws Error where the trace has no counted run, or nodes differ from run to run
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
    // Of nodes that share a name, which the format allows, the first has all.
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

/** A node's kernels: as many in each run, except where it keeps what the first one made. */
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
