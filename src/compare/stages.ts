import type { SegmentFeatures } from '../embedding/gpuGather';
import { secondsOfFrame } from '../segmentation/geometry';
import { concatenate } from '../util/values';
import { VoxlaneError } from '../util/errors';
import { firstUnfit } from '../util/numberTypes';
import { align } from './align';
import { canSelfCheck } from './verdict';
import type { GraphRunner, GraphTensor, ValueRunner } from './graphRunner';
import { hasShape, measure } from './measure';
import type { Plan, StageTensors } from './plan';
import type { Measures, StageReport } from './report';
import { offsetShareOf, stageTolerance, type ToleranceOverride } from './stageTolerance';
import { shapeText, valuesOf, type Tensor } from './tensor';

/** Computes the stages of a plan. */
export interface StageRunner {
  readonly graph: ValueRunner;
  /** The filterbank on this backend; null if the plan has none. */
  readonly features: SegmentFeatures | null;
}

/** Computes the stages of a plan on a runtime. */
export interface PlanRunner extends StageRunner {
  readonly graph: GraphRunner;
}

/** Called and awaited before each step; may throw to stop the work. */
export type OnStep = (step: string, completed: number, total: number) => Promise<void> | void;

/**
 * All values fed to the graph, including the features of our own filterbank.
 *
 * @throws VoxlaneError errors of the backend
 */
export async function computeFeeds(plan: Plan, { features }: StageRunner): Promise<Map<string, GraphTensor>> {
  const feeds = new Map<string, GraphTensor>(plan.feeds);
  if (!plan.features || !features) return feeds;
  const { waveform, facts, input } = plan.features;
  const numItems = waveform.shape[0] ?? 1;
  const itemSamples = waveform.data.length / numItems;
  const items: Float32Array[] = [];
  for (let item = 0; item < numItems; item++) {
    items.push(await features(waveform.data.slice(item * itemSamples, (item + 1) * itemSamples)));
  }
  const data = concatenate(items);
  if (data.length === 0) throw tooShort(shapeText(waveform.shape));
  feeds.set(input, { data, shape: [numItems, data.length / numItems / facts.numMelBins, facts.numMelBins] });
  return feeds;
}

/** Computes every stage on its own input. */
async function computeStages(
  { stages }: Plan,
  runner: StageRunner,
  feeds: ReadonlyMap<string, GraphTensor>,
): Promise<GraphTensor[]> {
  const values = stages.filter(({ isFeatures }) => !isFeatures).map(({ value }) => value);
  const results = values.length > 0 ? await runner.graph.values(feeds, [...new Set(values)]) : new Map<string, GraphTensor>();
  return stages.map(({ value, isFeatures }) => (isFeatures ? feeds : results).get(value)!);
}

/**
 * Computes every stage twice: on its own computed input, and with the golden outputs of the preceding stages injected
 * (teacher forcing).
 */
export async function runStages(plan: Plan, runner: StageRunner, onStep: OnStep): Promise<StageTensors[]> {
  const total = plan.stages.length + 1;
  await onStep('all stages', 0, total);
  const feeds = await computeFeeds(plan, runner);
  const actuals = await computeStages(plan, runner, feeds);
  const injected = new Map<string, GraphTensor>(feeds);
  const unfit: string[] = [];
  const results: StageTensors[] = [];
  for (const [index, planned] of plan.stages.entries()) {
    const actual = actuals[index]!;
    const { tensor: golden, note } = align(planned.golden, planned.axes, actual.shape);
    const needs = planned.isFeatures ? [] : runner.graph.inputsOf(injected, [planned.value]);
    // An earlier stage has the same value: no node of the graph lies between the two.
    const earlier = planned.isFeatures || injected.get(planned.value) === feeds.get(planned.value) ? undefined : injected.get(planned.value);
    const isForced = earlier !== undefined || needs.some((name) => injected.get(name) !== feeds.get(name));
    if (isForced && !earlier) await onStep(`${planned.golden.name}, golden input injected`, index + 1, total);
    const forced = isForced ? (earlier ?? (await runForced(runner.graph, injected, planned.value))) : null;
    const problem = typeof forced === 'string' ? forced : unfit.length > 0 && !isForced ? `${unfit.join(', ')} cannot be injected` : null;
    const notes = [
      ...(note === null ? [] : [note]),
      ...(index > 0 && problem !== null ? [`not judged on golden input: ${problem}`] : []),
    ];
    const isTensor = forced !== null && typeof forced !== 'string';
    const own = { forced: isTensor ? forced : null, feeds: typeof forced === 'string' ? feeds : new Map(injected) };
    results.push({ planned, actual, golden, ...own, notes });
    if (canInject(golden, actual)) injected.set(planned.value, golden);
    else unfit.push(planned.golden.name);
  }
  return results;
}

/** A stage on golden input, or why it cannot be computed: the graph may reject golden values as input. */
async function runForced(
  graph: ValueRunner,
  injected: ReadonlyMap<string, GraphTensor>,
  value: string,
): Promise<Tensor | string> {
  try {
    return (await graph.values(injected, [value])).get(value)!;
  } catch (error) {
    if (error instanceof VoxlaneError && (error.code === 'options' || error.code === 'backend-failed')) return error.problem;
    throw error;
  }
}

/**
 * True if golden values can replace those of the graph. The next stage cannot be tested on values of another shape, on
 * non-finite values, or on numbers that its type cannot represent.
 */
export function canInject(golden: Tensor, actual: GraphTensor): boolean {
  if (!hasShape(golden, actual.shape)) return false;
  // An infinity on both sides, as in a mask, may be injected; one on the golden side alone may not.
  if (!golden.data.every((number, index) => Number.isFinite(number) || Object.is(number, actual.data[index]))) return false;
  return firstUnfit(actual.dtype ?? 'float32', valuesOf(golden)) === undefined;
}

/** Types of our values and, if known, of the golden values. */
export const dtypesOf = ({ planned: { golden }, actual }: Pick<StageTensors, 'planned' | 'actual'>): string[] => [
  actual.dtype ?? 'float32',
  ...(golden.storedAs === undefined ? [] : [golden.storedAs]),
];

/** The measures of one stage, before the verdict. */
export function describeStage({ planned, actual, golden, forced, notes }: StageTensors, override?: ToleranceOverride): StageReport {
  const { axes, clock, golden: stage, value, isFeatures } = planned;
  const seconds = clock && ((frame: number) => secondsOfFrame(clock, frame));
  const dtypes = dtypesOf({ planned, actual });
  const against = (tensor: Tensor): Measures => measure(tensor, golden, axes, seconds, offsetShareOf(dtypes));
  const tolerance = stageTolerance(stage.tolerance, dtypes, override);
  const measures = against(actual);
  const shapesFit = hasShape(actual, golden.shape);
  return {
    name: stage.name,
    value: isFeatures ? null : value,
    axes,
    shape: actual.shape,
    goldenShape: golden.shape,
    shapesFit,
    tolerance,
    ...measures,
    verdict: 'fail',
    forced: forced && { ...against(forced), verdict: 'fail' },
    inherited: false,
    upstream: [],
    notes: [
      ...(planned.foundBy === 'values' ? [`${value} was mapped to this stage because it has the golden values`] : []),
      ...(canSelfCheck(golden) ? [] : ['no golden value is finite: a match proves nothing']),
      ...(tolerance.argmaxAgreement !== undefined && measures.argmaxAgreement === null && shapesFit
        ? ['the bundle states an argmax_agreement, which cannot be measured because no axis is named class']
        : []),
      ...notes,
    ],
    uncomparedBefore: [],
    causes: [],
  };
}

function tooShort(shape: string): VoxlaneError {
  return new VoxlaneError({
    code: 'options',
    problem: `The waveform ${shape} is shorter than one frame of the filterbank`,
    expected: 'at least one whole frame, 25 ms for the bundled models',
    remedy: 'Create the bundle from a longer segment',
  });
}
