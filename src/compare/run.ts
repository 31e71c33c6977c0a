import { lstmNodes, weightsBetween } from '../onnx/weights';
import type { ModelProto } from '../onnx/onnx_pb';
import { checkAccumulated } from './accumulated';
import { findCauses } from './causes/findCauses';
import type { CauseContext } from './causes/context';
import { gapBefore } from './coverage';
import { findDecisions } from './decisions/findDecisions';
import type { DecisionRule } from './decisions/rule';
import { layerGraph } from './layerGraph';
import { otherBatch } from './otherBatch';
import type { Plan } from './plan';
import type { Cause, DecisionReport, StageReport } from './report';
import { computeFeeds, describeStage, dtypesOf, runStages, type OnStep, type PlanRunner, type StageRunner, type StageTensors } from './stages';
import { offsetShareOf, type ToleranceOverride } from './stageTolerance';
import { upstreamStages } from './upstream';
import { decide, type Decision } from './verdict';

export interface RunRequest {
  readonly plan: Plan;
  readonly model: ModelProto;
  readonly runner: StageRunner;
  /**
   * Where variants of the graph are tried to find a cause: the plain backend, because a wrong gate order is wrong on
   * every backend. Null if `runner` does not run the graph: then causes are looked for in values alone.
   */
  readonly variants: PlanRunner | null;
  /** Look for differences between runs and batch sizes in stages that pass, too. */
  readonly thorough: boolean;
  /** Takes precedence over the bundle's tolerance. */
  readonly tolerance?: ToleranceOverride | undefined;
  /** What the outputs decide; takes precedence over the bundle and the graph. */
  readonly decisions?: DecisionRule | undefined;
  readonly onStep: OnStep;
}

/** What a comparison gives: the report, and the tensors for whoever wants to look closer. */
export interface RunResult extends Decision {
  readonly tensors: readonly StageTensors[];
  readonly decisions: readonly DecisionReport[];
}

/**
 * Runs every stage on one backend, decides which is the first that is wrong by itself, and looks for the cause of each
 * stage that is.
 *
 * @throws VoxlaneError what the backend throws
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
      // It passes on golden input and no stage before it fails, so the errors before it are small ones that add up or grow.
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
    // The filterbank is told from one item; the goldens of a batch would only say the same again.
    return findCauses({ ...common, fbank: waveform.shape[0] === 1 ? { samples: waveform.data, facts, sampleRate } : null });
  }
  if (!variants) return findCauses(common);
  // Two stages can be one value: what is asked for is not given.
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

/** The detectors' view of a stage of which nothing but the values is known. */
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

/** The same stage once more, and at another batch size. */
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

