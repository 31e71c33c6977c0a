import type { GraphInfo } from '../../onnx/model';
import type { SessionTensor } from '../../ort/session';
import type { FloatTensor } from '../../ort/graph';
import { concatenate } from '../../util/concatenate';
import { VoxlaneError } from '../../util/errors';
import type { GraphTensor, ValueRunner } from '../graphRunner';

/** A network on our own kernels, which reports the values of the graph at the ends of its stages. */
export interface TracedNetwork {
  /** Names of the reported values in the order of computation; the last is the output. */
  readonly valueNames: readonly string[];
  /** @param onValue may return other values, with which the network continues */
  trace(input: FloatTensor, onValue?: (name: string, value: FloatTensor) => FloatTensor | undefined): FloatTensor;
}

/** Runs a network on our own kernels in the place of a graph. Golden values replace what the network gives at the end of a stage. */
export class KernelRunner implements ValueRunner {
  /** For calls that feed values of later stages alone. */
  private lastInput: GraphTensor | null = null;

  /**
   * @param info of the graph that the network was read from
   * @param input name of the graph's input
   * @param isSingle whether the network takes one item of a batch at a time
   */
  constructor(
    readonly info: GraphInfo,
    private readonly network: TracedNetwork,
    private readonly input: string,
    private readonly isSingle: boolean,
  ) {}

  /** Names of the values that {@link values} gives. */
  get valueNames(): readonly string[] {
    return this.network.valueNames;
  }

  inputsOf(feeds: ReadonlyMap<string, GraphTensor>, outputs: readonly string[]): readonly string[] {
    return [...new Set(outputs.map((output) => this.sourceOf(feeds, output, outputs)))];
  }

  /** @throws VoxlaneError `options` without the input, or if a golden value has another shape */
  values(feeds: ReadonlyMap<string, GraphTensor>, outputs: readonly string[]): Promise<Map<string, SessionTensor>> {
    return Promise.resolve().then(() => {
      const input = this.inputFor(feeds);
      const given = new Map([...feeds].filter(([name]) => name !== this.input && !outputs.includes(name)));
      const numItems = input.shape[0] ?? 1;
      if (!this.isSingle || numItems === 1) return this.run(input, given, outputs);
      const runs = Array.from({ length: numItems }, (_, item) => {
        const own = new Map(Array.from(given, ([name, tensor]) => [name, itemOf(tensor, item)]));
        return this.run(itemOf(input, item), own, outputs);
      });
      return new Map(outputs.map((name) => [name, batched(runs.map((run) => run.get(name)!))]));
    });
  }

  /** Does nothing: the network's heap is collected with it. */
  release(): Promise<void> {
    return Promise.resolve();
  }

  /** The input that is fed. If only later values are, as many items of an earlier input: what they give is replaced. */
  private inputFor(feeds: ReadonlyMap<string, GraphTensor>): GraphTensor {
    const input = feeds.get(this.input);
    if (input) return (this.lastInput = input);
    const last = this.lastInput;
    const [fed] = feeds.values();
    if (!last || !fed) throw unfit(`The graph's input ${this.input} is not given`);
    const first = itemOf(last, 0);
    const numItems = fed.shape[0] ?? 1;
    return { data: concatenate(Array<Float32Array>(numItems).fill(first.data)), shape: [numItems, ...first.shape.slice(1)] };
  }

  /** The last value before `output` that is fed, else the input. */
  private sourceOf(feeds: ReadonlyMap<string, GraphTensor>, output: string, outputs: readonly string[]): string {
    const { valueNames } = this.network;
    const before = valueNames.slice(0, Math.max(0, valueNames.indexOf(output)));
    return before.findLast((name) => feeds.has(name) && !outputs.includes(name)) ?? this.input;
  }

  private run(input: GraphTensor, given: ReadonlyMap<string, GraphTensor>, outputs: readonly string[]): Map<string, SessionTensor> {
    const found = new Map<string, SessionTensor>();
    const result = this.network.trace(input, (name, value) => {
      const other = given.get(name);
      if (other && other.shape.join() !== value.shape.join()) {
        throw unfit(`${name} has the shape ${value.shape.join(' × ')}; ${other.shape.join(' × ')} cannot be given in its place`);
      }
      const used = other ? { data: other.data, shape: value.shape } : value;
      if (outputs.includes(name)) found.set(name, toSession(used));
      return other && used;
    });
    found.set(this.network.valueNames.at(-1)!, toSession(result));
    const missing = outputs.filter((name) => !found.has(name));
    if (missing.length > 0) throw unfit(`The kernels do not give ${missing.join(', ')}`);
    return found;
  }
}

const toSession = ({ data, shape }: FloatTensor): SessionTensor => ({ data, shape, dtype: 'float32' });

/** One item of a batch, as a batch of one. */
function itemOf({ data, shape }: GraphTensor, item: number): GraphTensor {
  const size = data.length / shape[0]!;
  return { data: data.subarray(item * size, (item + 1) * size), shape: [1, ...shape.slice(1)] };
}

/** Batches of one as one batch. */
const batched = (items: readonly SessionTensor[]): SessionTensor => ({
  data: concatenate(items.map(({ data }) => data)),
  shape: [items.length, ...items[0]!.shape.slice(1)],
  dtype: 'float32',
});

const unfit = (problem: string): VoxlaneError =>
  new VoxlaneError({ code: 'options', problem, expected: 'values that fit the network', remedy: 'Take goldens of this model' });
