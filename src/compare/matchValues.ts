import { valueNames } from '../onnx/model';
import { align } from './align';
import type { GoldenStage } from './bundle';
import { canHaveShape, nodesOfModule, type FoundBy } from './findValue';
import type { GraphRunner, GraphTensor } from './graphRunner';
import { hasShape } from './measure';
import { inGraphOrder, valueOrder, type Plan, type PlannedStage } from './plan';
import { canInject, type OnStep } from './stages';
import type { Tensor } from './tensor';
import { tryValues, VALUES_PER_RUN } from './tryValues';

/**
 * Difference up to which a value is taken for a stage's, relative to the greatest golden value. Rounding of float32
 * sums in another order is some 1e-5 of it; two layers of a network that differ by less than 1e-3 are one.
 */
const MATCH = 1e-3;

/**
 * Finds the graph's values that names do not tell, by running the graph: of several values that a module gives, the last
 * that has the golden shape; for a stage without a value, the one with the golden values.
 *
 * The graph is run with the golden values of the other stages in place of its own, so that a fault does not hide the
 * stages after it. A stage that is computed wrongly itself has no such value and stays unmapped.
 *
 * @param graph on WASM, the reference
 * @param feeds everything that the graph is fed with
 */
export async function matchValues(
  plan: Plan,
  graph: GraphRunner,
  feeds: ReadonlyMap<string, GraphTensor>,
  onStep: OnStep,
): Promise<Plan> {
  const stages = await chooseByShape(plan, graph, feeds, onStep);
  const missing = plan.unmapped.filter(({ name, data }) => !plan.merged.has(name) && varies(data));
  if (missing.length === 0) return { ...plan, stages };
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
    unmapped: plan.unmapped.filter(({ name }) => !names.has(name)),
  };
}

/** A value that is one number throughout could be any other such value. */
const varies = (data: Float32Array): boolean => data.some((value) => value !== data[0]);

async function chooseByShape(
  plan: Plan,
  graph: GraphRunner,
  feeds: ReadonlyMap<string, GraphTensor>,
  onStep: OnStep,
): Promise<PlannedStage[]> {
  const open = plan.stages.filter(({ foundBy, candidates }) => foundBy === 'scope' && candidates.length > 1);
  if (open.length === 0) return [...plan.stages];
  await onStep('shapes of the values', 0, 1);
  const tensors = await tryValues(graph, feeds, [...new Set(open.flatMap(({ candidates }) => candidates))]);
  const chosen = plan.stages.map((stage) => {
    const fitting = open.includes(stage) ? stage.candidates.filter((name) => fits(tensors.get(name), stage.golden, stage.axes)) : [];
    return fitting.length > 0 ? { ...stage, value: fitting.at(-1)! } : stage;
  });
  return inGraphOrder(chosen, valueOrder(graph.info));
}

const fits = (tensor: Tensor | undefined, golden: GoldenStage, axes: readonly string[]): boolean =>
  tensor !== undefined && hasShape(tensor, align(golden, axes, tensor.shape).tensor.shape);

/** For each stage the value that is closest to it, as far as one is close enough. */
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
  const isPossible = (name: string): boolean =>
    !taken.has(name) &&
    places.some(({ golden, own }) => (own === null || own.has(name)) && canHaveShape(info.known.get(name)?.shape ?? null, golden.shape));
  const names = valueNames(info).filter(isPossible);
  const injected = await goldenFeeds(stages, graph, feeds);
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

/** The graph's inputs, and the golden values of the stages that can stand in for the graph's own. */
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

/** Greatest difference over the greatest golden value; infinite for another shape and for values that are not finite. */
function errorOf(tensor: Tensor, golden: GoldenStage): number {
  if (!hasShape(tensor, golden.shape)) return Infinity;
  let [most, greatest] = [0, 0];
  for (let i = 0; i < golden.data.length; i++) {
    most = Math.max(most, Math.abs(tensor.data[i]! - golden.data[i]!));
    greatest = Math.max(greatest, Math.abs(golden.data[i]!));
  }
  return Number.isFinite(most) && greatest > 0 ? most / greatest : Infinity;
}
