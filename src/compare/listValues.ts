import { valueNames } from '../onnx/model';
import { UNKNOWN } from '../onnx/types';
import type { GraphRunner, GraphTensor } from './graphRunner';
import type { OnStep } from './stages';
import { tryValues, VALUES_PER_RUN } from './tryValues';

/** A value of a graph that a stage can be mapped to. */
export interface ListedValue {
  /** Name of the value. */
  readonly name: string;
  /** Operator that gives it, such as `Conv`. */
  readonly op: string;
  /** Path of the module of the original network that computes it; null if it is not known. */
  readonly module: string | null;
  /** Type of its elements, such as `float32`; `?` if it is not known. */
  readonly dtype: string;
  /** Size of each axis, or the name of one that varies; null if it is not known. */
  readonly shape: readonly (number | string)[] | null;
}

/**
 * Every value that a stage can be mapped to, in the order of computation, with its shape in a run.
 *
 * @param feeds inputs of the graph; null if none are known: then the shapes are those that the file declares
 */
export async function listValues(
  graph: GraphRunner,
  feeds: ReadonlyMap<string, GraphTensor> | null,
  onStep: OnStep,
): Promise<ListedValue[]> {
  const { info } = graph;
  const nodeOf = new Map(info.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const names = valueNames(info).filter((name) => nodeOf.get(name)?.op !== 'Constant');
  const listed: ListedValue[] = [];
  for (let start = 0; start < names.length; start += VALUES_PER_RUN) {
    await onStep('shapes of the values', start, names.length);
    const part = names.slice(start, start + VALUES_PER_RUN);
    const tensors = feeds ? await tryValues(graph, feeds, part) : new Map<string, GraphTensor>();
    for (const name of part) {
      const [node, tensor, declared] = [nodeOf.get(name), tensors.get(name), info.known.get(name)];
      const module = node?.scope?.paths[0] ?? null;
      const dtype = tensor?.dtype ?? declared?.dtype ?? UNKNOWN;
      listed.push({ name, op: node?.op ?? '', module, dtype, shape: tensor?.shape ?? declared?.shape ?? null });
    }
  }
  return listed;
}
