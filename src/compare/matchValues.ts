import { valueNames } from '../onnx/model';
import { UNKNOWN } from '../onnx/types';
import { VoxlaneError } from '../util/errors';
import { align } from './align';
import type { GoldenStage } from './files/bundle';
import { canHaveShape, type FoundBy, isPart, nodesOfModule } from './findValue';
import type { GraphRunner, GraphTensor } from './graphRunner';
import { hasShape } from './measure';
import { inGraphOrder, type Plan, type PlannedStage, valueOrder } from './plan';
import { canInject, type OnStep } from './stages';
import type { Tensor } from './tensor';

/** Maximum number of values per run, because all of them are in memory at once. */
const VALUES_PER_RUN = 64;

/** Error codes if a part of a graph cannot run or returns no numeric tensor. */
const UNSUITED: readonly string[] = ['options', 'backend-failed', 'model-output'];

/** The values that can be computed. Others, such as sequences, are left out. */
async function tryValues(
  graph: GraphRunner,
  feeds: ReadonlyMap<string, GraphTensor>,
  names: readonly string[],
): Promise<Map<string, GraphTensor>> {
  if (names.length === 0) return new Map();
  try {
    return await graph.values(feeds, names);
  } catch (error) {
    if (!(error instanceof VoxlaneError) || !UNSUITED.includes(error.code)) throw error;
    if (names.length === 1) return new Map();
    const half = names.length >> 1;
    const first = await tryValues(graph, feeds, names.slice(0, half));
    return new Map([...first, ...(await tryValues(graph, feeds, names.slice(half)))]);
  }
}

/** A graph value that a stage can be mapped to. */
export interface ListedValue {
  /** Name of the value. */
  readonly name: string;
  /** Operator that outputs it, such as `Conv`. */
  readonly op: string;
  /** Path of the module of the original network that computes it; null if unknown. */
  readonly module: string | null;
  /** Element type, such as `float32`; `?` if unknown. */
  readonly dtype: string;
  /** Size of each axis, or the name of a variable axis; null if unknown. */
  readonly shape: readonly (number | string)[] | null;
}

/**
 * Lists every value that a stage can be mapped to, in the order of computation, with its shape in a run.
 *
 * @param feeds inputs of the graph; null if unknown: then the shapes are those declared in the file
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

/**
 * Maximum difference between a value and the golden values of its stage, relative to the greatest golden value. float32
 * sums in different orders differ by about 1e-5. Different layers differ by more than 1e-3.
 */
const MATCH = 1e-3;

/**
 * Completes a plan by running the graph. If a module has several values, chooses the last one with the golden shape. A
 * stage without a value gets the value that is closest to its golden values.
 *
 * The golden values of the other stages are injected, so a fault does not hide the stages after it. A stage with wrong
 * values stays unmapped.
 *
 * @param graph on WASM, the reference
 * @param feeds all inputs of the graph
 */
export async function matchValues(
  plan: Plan,
  graph: GraphRunner,
  feeds: ReadonlyMap<string, GraphTensor>,
  onStep: OnStep,
): Promise<Plan> {
  const stages = await chooseByShape(plan, graph, feeds, onStep);
  const places = new Map(plan.bundleOrder.map((name, index) => [name, index]));
  const kept = new Set(stages.map(({ golden: { name } }) => name));
  const dropped = plan.stages.filter(({ golden: { name } }) => !kept.has(name)).map(({ golden }) => golden);
  const unmapped = [...plan.unmapped, ...dropped].toSorted((a, b) => places.get(a.name)! - places.get(b.name)!);
  const missing = unmapped.filter(({ name, data }) => !plan.merged.has(name) && varies(data));
  if (missing.length === 0) return { ...plan, stages, unmapped };
  const best = await searchValues(missing, stages, graph, feeds, onStep);
  const found = missing.flatMap((golden): PlannedStage[] => {
    const value = best.get(golden.name)?.value;
    const foundBy: FoundBy = 'values';
    return value === undefined ? [] : [{ golden, value, foundBy, candidates: [value], axes: golden.axes, isFeatures: false, clock: null }];
  });
  const names = new Set(found.map(({ golden: { name } }) => name));
  return {
    ...plan,
    stages: inGraphOrder([...stages, ...found], valueOrder(graph.info)),
    unmapped: unmapped.filter(({ name }) => !names.has(name)),
  };
}

/** True if the values differ from each other. Constant values identify no stage. */
const varies = (data: Float32Array): boolean => data.some((value) => value !== data[0]);

/**
 * Assigns to each stage a value with its shape. A stage is left out if its module only computes an intermediate with
 * another shape: the result is not in the graph. Any other value with another shape stays, because it is wrong.
 */
async function chooseByShape(
  plan: Plan,
  graph: GraphRunner,
  feeds: ReadonlyMap<string, GraphTensor>,
  onStep: OnStep,
): Promise<PlannedStage[]> {
  const { info } = graph;
  const open = plan.stages.filter(({ foundBy, candidates, value }) => candidates.length > 1 || (foundBy === 'scope' && isPart(value, info)));
  if (open.length === 0) return [...plan.stages];
  await onStep('shapes of the values', 0, 1);
  const tensors = await tryValues(graph, feeds, [...new Set(open.flatMap(({ candidates }) => candidates))]);
  const chosen = plan.stages.flatMap((stage) => {
    if (!open.includes(stage)) return [stage];
    const { golden, candidates, axes } = stage;
    const fitting = candidates.filter((name) => fits(tensors.get(name), golden, axes));
    if (stage.foundBy === 'name') return [byValues(stage, fitting, tensors)];
    const value = fitting.at(-1);
    if (value !== undefined) return [{ ...stage, value }];
    return isPart(stage.value, info) ? [] : [stage];
  });
  return inGraphOrder(chosen, valueOrder(info));
}

/** For a stage named like an output of another module: the output if it has the golden values, else the closest value. */
function byValues(stage: PlannedStage, fitting: readonly string[], tensors: ReadonlyMap<string, Tensor>): PlannedStage {
  const { golden, axes } = stage;
  const errors = new Map(fitting.map((name) => [name, errorOf(tensors.get(name)!, align(golden, axes, tensors.get(name)!.shape).tensor)]));
  if ((errors.get(stage.value) ?? Infinity) <= MATCH) return stage;
  const value = fitting.toSorted((a, b) => (errors.get(a)! < errors.get(b)! ? -1 : 1))[0] ?? stage.value;
  return value === stage.value ? stage : { ...stage, value, foundBy: 'scope' };
}

const fits = (tensor: Tensor | undefined, golden: GoldenStage, axes: readonly string[]): boolean =>
  tensor !== undefined && hasShape(tensor, align(golden, axes, tensor.shape).tensor.shape);

/** The closest value by stage, if one is within {@link MATCH}. */
async function searchValues(
  missing: readonly GoldenStage[],
  stages: readonly PlannedStage[],
  graph: GraphRunner,
  feeds: ReadonlyMap<string, GraphTensor>,
  onStep: OnStep,
): Promise<Map<string, { value: string; error: number }>> {
  const { info } = graph;
  const taken = new Set(stages.map(({ value }) => value));
  const places = missing.map((golden) => {
    const own = nodesOfModule(golden.name, info).flatMap(({ outputs }) => outputs);
    return { golden, own: own.length > 0 ? new Set(own) : null };
  });
  const injected = await goldenFeeds(stages, graph, feeds);
  const declared = (name: string): readonly (number | string)[] | null => (graph.hasWrongShapes ? null : (info.known.get(name)?.shape ?? null));
  const isPossible = (name: string): boolean =>
    !taken.has(name) && places.some(({ golden, own }) => (own === null || own.has(name)) && canHaveShape(declared(name), golden.shape));
  const names = valueNames(info).filter(isPossible);
  const best = new Map<string, { value: string; error: number }>();
  for (let start = 0; start < names.length; start += VALUES_PER_RUN) {
    await onStep('looking for stages by their values', start, names.length);
    const tensors = await tryValues(graph, injected, names.slice(start, start + VALUES_PER_RUN));
    for (const [name, tensor] of tensors) {
      for (const { golden, own } of places) {
        if (own !== null && !own.has(name)) continue;
        const error = errorOf(tensor, golden);
        if (error <= MATCH && error < (best.get(golden.name)?.error ?? Infinity)) best.set(golden.name, { value: name, error });
      }
    }
  }
  return best;
}

/** The inputs of the graph and all golden values that can be injected. */
async function goldenFeeds(
  stages: readonly PlannedStage[],
  graph: GraphRunner,
  feeds: ReadonlyMap<string, GraphTensor>,
): Promise<Map<string, GraphTensor>> {
  const injected = new Map(feeds);
  const inner = stages.filter(({ isFeatures }) => !isFeatures);
  const actual = await tryValues(graph, feeds, [...new Set(inner.map(({ value }) => value))]);
  for (const { golden, value, axes } of inner) {
    const own = actual.get(value);
    const tensor = own && align(golden, axes, own.shape).tensor;
    if (own && tensor && canInject(tensor, own)) injected.set(value, tensor);
  }
  return injected;
}

/** Maximum difference, relative to the greatest golden value; infinite for another shape or non-finite values. */
function errorOf(tensor: Tensor, golden: Tensor): number {
  if (!hasShape(tensor, golden.shape)) return Infinity;
  let [most, greatest] = [0, 0];
  for (let i = 0; i < golden.data.length; i++) {
    most = Math.max(most, Math.abs(tensor.data[i]! - golden.data[i]!));
    greatest = Math.max(greatest, Math.abs(golden.data[i]!));
  }
  return Number.isFinite(most) && greatest > 0 ? most / greatest : Infinity;
}
