import type { GraphInfo } from '../onnx/model';
import type { ModelProto } from '../onnx/onnx_pb';
import { lstmNodes, weightsBetween } from '../onnx/weights';
import { VoxlaneError } from '../util/errors';
import { concatenate } from '../util/values';
import { type CauseContext, layerGraph } from './causes/context';
import { findCauses } from './causes/findCauses';
import { findDecisions } from './decisions/findDecisions';
import type { DecisionRule } from './decisions/rule';
import type { GoldenStage } from './files/bundle';
import type { GraphTensor, ValueRunner } from './graphRunner';
import { measure } from './measure';
import type { Plan, StageTensors } from './plan';
import type { Cause, DecisionReport, Measures, StageReport } from './report';
import { offsetShareOf, type ToleranceOverride } from './stageTolerance';
import {
  computeFeeds,
  describeStage,
  dtypesOf,
  type OnStep,
  type PlanRunner,
  runStages,
  type StageRunner,
} from './stages';
import type { Tensor } from './tensor';
import { decide, type Decision, gapBefore } from './verdict';

/**
 * The stages that each stage is computed from, directly or indirectly, by name and in the order of `stages`. An earlier
 * stage with the same graph value counts too.
 */
export function upstreamStages(
  { nodes }: Pick<GraphInfo, 'nodes'>,
  stages: readonly { readonly golden: Pick<GoldenStage, 'name'>; readonly value: string }[],
): ReadonlyMap<string, readonly string[]> {
  const readBy = new Map(nodes.flatMap(({ inputs, captured, outputs }) => outputs.map((name) => [name, [...inputs, ...captured]])));
  const valuesBefore = (value: string): Set<string> => {
    const seen = new Set<string>();
    const open = [...(readBy.get(value) ?? [])];
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      if (seen.has(name)) continue;
      seen.add(name);
      open.push(...(readBy.get(name) ?? []));
    }
    return seen;
  };
  return new Map(
    stages.map(({ golden, value }, index) => {
      const before = valuesBefore(value);
      const upstream = stages.filter((other, place) => before.has(other.value) || (place < index && other.value === value));
      return [golden.name, upstream.map((other) => other.golden.name)];
    }),
  );
}

/**
 * Computes a value at another batch size. Inputs with several items are reduced to the first. Inputs with one item get a
 * second item, the first one reversed.
 *
 * @returns the first item, with a batch axis of 1; null if the graph accepts no other batch size
 * @throws VoxlaneError other errors of the backend
 */
async function otherBatch(
  graph: ValueRunner,
  feeds: ReadonlyMap<string, GraphTensor>,
  value: string,
): Promise<Tensor | null> {
  const needed = graph.inputsOf(feeds, [value]);
  const [numItems, ...others] = new Set(needed.map((name) => feeds.get(name)?.shape[0]));
  // Without a common first axis, there is no batch.
  if (numItems === undefined || others.length > 0) return null;
  const change = numItems > 1 ? firstItem : withReversed;
  const changed = new Map(needed.map((name) => [name, change(feeds.get(name)!)]));
  try {
    const result = (await graph.values(changed, [value])).get(value)!;
    return numItems > 1 || result.shape[0] === 2 ? firstItem(result) : null;
  } catch (error) {
    // For a graph with fixed batch size, the runtime reports a generic error.
    if (error instanceof VoxlaneError && error.code === 'backend-failed') return null;
    throw error;
  }
}

function firstItem({ data, exact, shape }: Tensor): Tensor {
  const [numItems = 1, ...rest] = shape;
  const end = data.length / Math.max(numItems, 1);
  return { data: data.slice(0, end), ...(exact && { exact: exact.slice(0, end) }), shape: [1, ...rest] };
}

/** Reversed, because a copy of the item would hide an average over the batch. */
function withReversed({ data, exact, shape }: Tensor): Tensor {
  const both = exact && new (exact.constructor as Float64ArrayConstructor)(2 * exact.length);
  both?.set(exact as Float64Array);
  both?.set((exact as Float64Array).toReversed(), exact!.length);
  return { data: concatenate([data, data.toReversed()]), ...(both && { exact: both }), shape: [2, ...shape.slice(1)] };
}

/** Maximum number of runs. If more stages are upstream, the check injects at evenly spaced ones. */
const MAX_RUNS = 8;
/** Maximum share of the error that one part of the graph may cause if the error has accumulated. */
const MAX_SHARE = 0.5;

/** Why a stage fails that passes on golden input. */
interface Accumulation {
  /** Null if one part causes most of the error, or if the check is not possible. */
  readonly cause: Cause | null;
  /** Result as text if there is no cause. */
  readonly note: string | null;
}

/**
 * Norm of the error over all values, relative to that of the golden values. The judged error, by contrast, is per group.
 */
const errorOf = ({ relative, snrDb }: Pick<Measures, 'relative' | 'snrDb'>): number | null => {
  if (snrDb !== null) return 10 ** (-snrDb / 20);
  return relative === 0 ? 0 : null;
};

/**
 * Measures where an error comes from if every stage passes on golden input. Injects the golden output of the first upstream
 * stage, then those of the first two, and so on. Each step removes the error of the part of the graph up to the last
 * injected stage. The error has accumulated if no part causes more than half of it.
 *
 * @param upstream stages that the stage is computed from, in graph order
 * @throws VoxlaneError errors of the backend
 */
async function checkAccumulated(
  { graph }: StageRunner,
  own: StageTensors,
  stage: StageReport,
  upstream: readonly StageTensors[],
): Promise<Accumulation> {
  const { value } = own.planned;
  const injected = upstream.filter(({ planned, golden }) => planned.value !== value && own.feeds.get(planned.value) === golden);
  const whole = errorOf(stage);
  if (whole === null || stage.relative === null || stage.forced?.relative == null || injected.length === 0) return { cause: null, note: null };
  const count = Math.min(MAX_RUNS, injected.length);
  const ends = Array.from({ length: count }, (_, index) => Math.ceil(((index + 1) * injected.length) / count));
  const golden = new Set(injected.map(({ planned }) => planned.value));
  const inputs = new Map([...own.feeds].filter(([name]) => !golden.has(name)));
  const steps: { readonly name: string; readonly share: number }[] = [];
  let before = whole;
  for (const end of ends) {
    const given = injected.slice(0, end);
    const feeds = new Map([...inputs, ...given.map((one) => [one.planned.value, one.golden] as const)]);
    const actual = (await graph.values(feeds, [value])).get(value)!;
    const left = errorOf(measure(actual, own.golden, stage.axes));
    if (left === null) return { cause: null, note: null };
    steps.push({ name: given.at(-1)!.planned.golden.name, share: (before - left) / whole });
    before = left;
  }
  steps.push({ name: stage.name, share: before / whole });
  const greatest = steps.reduce((most, step) => (step.share > most.share ? step : most));
  const percent = Math.round(100 * greatest.share);
  if (greatest.share > MAX_SHARE) {
    return {
      cause: null,
      note: `passes on golden input: ${percent} % of the error comes from the part of the graph that ends at ${greatest.name}`,
    };
  }
  return {
    cause: {
      id: 'accumulated',
      evidence:
        `${stage.name} is within its tolerance on golden input (relative error ${stage.forced.relative.toExponential(2)}) and ` +
        `outside on computed input (${stage.relative.toExponential(2)}). With golden values injected at ${count === 1 ? 'a stage' : `${count} stages`} before it, ` +
        `no part of the graph causes more than ${percent} % of the error: errors accumulate`,
      values: { relative: stage.relative, forcedRelative: stage.forced.relative, greatestShare: greatest.share, part: greatest.name },
    },
    note: null,
  };
}

interface RunRequest {
  readonly plan: Plan;
  readonly model: ModelProto;
  readonly runner: StageRunner;
  /**
   * Runs changed graphs to find a cause, on the plain backend: a wrong gate order, for example, is wrong on every backend.
   * Null if `runner` does not run the graph: then only the values are analyzed.
   */
  readonly variants: PlanRunner | null;
  /** If true, also looks for differences between runs and batch sizes in stages that pass. */
  readonly thorough: boolean;
  /** Takes precedence over the bundle's tolerance. */
  readonly tolerance?: ToleranceOverride | undefined;
  /** What the outputs decide; takes precedence over the bundle and the graph. */
  readonly decisions?: DecisionRule | undefined;
  readonly onStep: OnStep;
}

/** Result of a comparison: the report, and the tensors for further analysis. */
export interface RunResult extends Decision {
  readonly tensors: readonly StageTensors[];
  readonly decisions: readonly DecisionReport[];
}

/**
 * Runs every stage on one backend, determines the first stage that is wrong on its own, and looks for the causes of all
 * such stages.
 *
 * @throws VoxlaneError errors of the backend
 */
export async function compareStages(request: RunRequest): Promise<RunResult> {
  const { plan, runner, onStep, thorough, tolerance } = request;
  const tensors = await runStages(plan, runner, onStep);
  const upstream = upstreamStages(runner.graph.info, plan.stages);
  const decision = decide(
    tensors.map((own) => ({ ...describeStage(own, tolerance), upstream: upstream.get(own.planned.golden.name) ?? [] })),
  );
  const stages: StageReport[] = [];
  for (const [index, judged] of decision.stages.entries()) {
    const stage = { ...judged, uncomparedBefore: gapBefore(tensors[index]!, plan, runner.graph) };
    const isBlamed = stage.verdict === 'fail' && !stage.inherited;
    if (isBlamed || thorough) await onStep(`${stage.name}, looking for a cause`, index, plan.stages.length);
    const own = tensors[index]!;
    if (isBlamed && stage.forced?.verdict === 'pass') {
      // It passes on golden input and no preceding stage fails: small errors of the preceding stages accumulate or grow.
      const before = tensors.filter(({ planned }) => stage.upstream.includes(planned.golden.name));
      const { cause, note } = await checkAccumulated(runner, own, stage, before);
      stages.push({ ...stage, causes: cause ? [cause] : [], notes: note === null ? stage.notes : [...stage.notes, note] });
      continue;
    }
    const causes = isBlamed
      ? await causesOf(request, own, stage)
      : thorough
        ? await findCauses({ ...valuesOf(own, stage), ...repeatsOf(request, own) })
        : [];
    stages.push({ ...stage, causes });
  }
  const decisions = await findDecisions(plan, runner, tensors, stages, onStep, request.decisions);
  await onStep('done', 1, 1);
  return { ...decision, stages, tensors, decisions };
}

async function causesOf(request: RunRequest, own: StageTensors, stage: StageReport): Promise<readonly Cause[]> {
  const { plan, model, variants, onStep } = request;
  const { planned, feeds } = own;
  const common = { ...valuesOf(own, stage), ...repeatsOf(request, own) };
  if (planned.isFeatures) {
    const { waveform, facts, sampleRate } = plan.features!;
    // The filterbank is recognized from a single item; a batch adds no information.
    return findCauses({ ...common, fbank: waveform.shape[0] === 1 ? { samples: waveform.data, facts, sampleRate } : null });
  }
  if (!variants) return findCauses(common);
  // Two stages can have the same value: the requested value is not fed.
  const part = { inputs: [...feeds.keys()].filter((name) => name !== planned.value), outputs: [planned.value] };
  const weights = weightsBetween(model, part).flatMap(({ name, shape, values, usedBy }) => {
    const read = values();
    return read ? [{ name, shape, values: read, nodes: usedBy }] : [];
  });
  const onRun = (): Promise<void> | void => onStep(`${stage.name}, trying other nodes`, 0, 1);
  return findCauses({
    ...common,
    graph: layerGraph(model, part, feeds, variants.graph, onRun),
    others: othersOf(plan, own),
    layer: { weights, lstms: lstmNodes(model, part) },
    rerun: async (changes) => {
      await onStep(`${stage.name}, trying other weights`, 0, 1);
      return (await variants.graph.values(feeds, [planned.value], changes)).get(planned.value)!;
    },
  });
}

/** The context for detectors if only the values of a stage are known. */
function valuesOf(own: StageTensors, { name, axes, tolerance }: StageReport): CauseContext {
  const { actual, forced, golden } = own;
  return {
    stage: name,
    axes,
    actual: forced ?? actual,
    golden,
    tolerance,
    offsetShare: offsetShareOf(dtypesOf(own)),
    fbank: null,
    layer: null,
    rerun: null,
    graph: null,
    others: [],
    again: null,
    otherBatch: null,
  };
}

/** Golden tensors of the other stages. */
function othersOf({ stages, unmapped }: Plan, { planned: { golden } }: StageTensors): CauseContext['others'] {
  const all = [...stages.map((stage) => stage.golden), ...unmapped];
  return all.filter(({ name }) => name !== golden.name).map((tensor) => ({ name: tensor.name, tensor }));
}

/** Repeats the stage, and runs it at another batch size. */
function repeatsOf(
  { plan, runner }: RunRequest,
  { planned: { value, isFeatures }, feeds }: StageTensors,
): Pick<CauseContext, 'again' | 'otherBatch'> {
  if (isFeatures) return { again: async () => (await computeFeeds(plan, runner)).get(value)!, otherBatch: null };
  return {
    again: async () => (await runner.graph.values(feeds, [value])).get(value)!,
    otherBatch: () => otherBatch(runner.graph, feeds, value),
  };
}
