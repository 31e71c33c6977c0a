import { graphInfo } from '../../onnx/model';
import type { ModelProto } from '../../onnx/onnx_pb';
import type { DiarizationManifest } from '../../store/diarizationManifest';
import { modeSizes, parseStreamingSettings, type StreamingSettings } from '../../store/streamingSettings';
import { STREAM_MODES, type StreamMode } from '../../store/streamModes';
import { fbankGeometry } from '../../features/fbank';
import { VoxlaneError } from '../../util/errors';
import type { Tolerance } from '../compare';
import { bundleOfStep, type GoldenBundle, type GoldenStage, type GoldenStep, type GoldenStreaming, tensorNamed } from '../files/bundle';
import { hasShape, judgeMeasures, measure } from '../measure';
import { makePlan, type Plan, type StageTensors } from '../plan';
import type { DecisionCause, Measures, RuntimeBackend, StageReport } from '../report';
import { compareStages } from '../run';
import type { OnStep, PlanRunner, StageRunner } from '../stages';
import { stageTolerance, type ToleranceOverride } from '../stageTolerance';
import type { Tensor } from '../tensor';
import { STATE } from './joinState';
import { ownSteps, type OwnStep } from './ownSteps';
import type { StageDecisions, StateReport, StepDecisions, StepReport, StepsReport, StepStageReport } from './stepsReport';

export interface StepsRequest {
  /** With {@link GoldenBundle.streaming}. */
  readonly bundle: GoldenBundle;
  /** The graph with its weights, joined by `joinState`. */
  readonly model: ModelProto;
  /** Facts of the bundle's model. */
  readonly manifest: DiarizationManifest;
  readonly backend: RuntimeBackend;
  readonly runner: StageRunner;
  /** As for {@link compareStages}; null to look for no causes. */
  readonly variants: PlanRunner | null;
  readonly tolerance?: ToleranceOverride | undefined;
  readonly onStep: OnStep;
}

/** Name of the mel frames among the inputs of a step, and of their stage. */
const FEATURES = 'features';
const SAMPLES = 'samples';
/** Frames of one recording are less similar than that; those of one frame with rounding errors are more. */
const SAME_FRAME_COSINE = 0.9;

/**
 * Compares the recorded steps of a model with a state. Each is computed twice: from the golden state before the step, which
 * gives the error of this step alone, and from the state that our own loop has accumulated from the samples. What the second
 * adds is the drift of the state.
 *
 * @throws VoxlaneError `format` if the bundle is not complete; `model-invalid` for its settings; errors of the backend and of
 *   `onStep`
 */
export async function compareSteps(request: StepsRequest): Promise<StepsReport> {
  const { bundle, manifest, model, backend, onStep } = request;
  const streaming = streamingOf(bundle);
  const settings = parseStreamingSettings(streaming.settings, 'of the golden bundle');
  const mode = modeOf(streaming.mode);
  const samples = tensorNamed(bundle.inputs, SAMPLES).data;
  const info = graphInfo(model);
  const plans = streaming.steps.map((step) => makePlan(bundleOfStep(bundle, step), info, null));
  const values = [...new Set(plans.flatMap(({ stages }) => stages.map(({ value }) => value)))];
  const total = streaming.steps.length;
  const last = streaming.steps.at(-1)!.index;
  // The loop first: it needs one session, and each recorded step needs others.
  const own = new Map<number, OwnStep>();
  const wanted = new Set(streaming.steps.map(({ index }) => index));
  const loop = ownSteps({
    graph: request.runner.graph,
    manifest,
    settings,
    mode,
    values,
    samples,
    onStep: (index) => onStep(`step ${index} with our own state`, 0, total),
  });
  for await (const step of loop) {
    if (wanted.has(step.index)) own.set(step.index, step);
    if (step.index >= last) break;
  }
  const steps: StepReport[] = [];
  const causes: DecisionCause[] = [];
  for (const [place, golden] of streaming.steps.entries()) {
    const found = own.get(golden.index);
    if (!found) throw noSuchStep(golden.index);
    const prefixed: OnStep = (text) => onStep(`step ${golden.index}: ${text}`, place, total);
    const { runner, variants, tolerance } = request;
    const result = await compareStages({ plan: plans[place]!, model, runner, variants, thorough: false, tolerance, onStep: prefixed });
    const features = featuresReport(golden, found, streaming.featuresTolerance, tolerance);
    const stages = [features, ...result.stages.map((stage, index) => stageReport(stage, result.tensors[index]!, found))];
    causes.push(...result.decisions.flatMap((one) => one.causes));
    const chunkFrames = modeSizes(settings, mode).chunkFrames;
    steps.push({
      index: golden.index,
      startSeconds: startOf(golden, settings, manifest),
      state: stateReport(golden, found),
      stages,
      ...verdictOf(stages, result.firstDivergence, stateReport(golden, found)),
      decisions: decisionsOf(result.tensors, found, chunkFrames),
    });
  }
  const wrong = steps.find(({ verdict }) => verdict !== 'pass');
  return {
    model: bundle.model,
    backend,
    mode,
    verdict: wrong ? 'fail' : 'pass',
    first: wrong && wrong.verdict !== 'pass' ? { step: wrong.index, stage: wrong.firstDivergence!, kind: wrong.verdict } : null,
    steps,
    decisions: sumOf(steps),
    causes: causesByStage(causes, plans[0]!),
  };
}

/** Adds up the decisions of each stage. */
function causesByStage(causes: readonly DecisionCause[], { bundleOrder }: Pick<Plan, 'bundleOrder'>): StageDecisions[] {
  const count = (stage: string): number => causes.reduce((sum, one) => sum + (one.stage === stage ? one.count : 0), 0);
  return bundleOrder.map((stage) => ({ stage, count: count(stage) })).filter((one) => one.count > 0);
}

function streamingOf({ streaming }: GoldenBundle): GoldenStreaming {
  if (streaming) return streaming;
  throw new VoxlaneError({ code: 'options', problem: 'The golden bundle has no steps', expected: 'a bundle with the field streaming', remedy: 'Compare its stages instead' });
}

function modeOf(name: string): StreamMode {
  const mode = STREAM_MODES.find((one) => one === name);
  if (mode) return mode;
  throw new VoxlaneError({ code: 'format', problem: `The golden bundle has the mode ${name}`, expected: STREAM_MODES.join(', '), remedy: 'Write it again with step_goldens.py' });
}

const noSuchStep = (index: number): VoxlaneError =>
  new VoxlaneError({
    code: 'format',
    problem: `The samples of the golden bundle end before step ${index}`,
    expected: 'the whole recording, up to the last recorded step',
    remedy: 'Write the bundle again with step_goldens.py',
  });

const startOf = ({ firstFrame }: GoldenStep, { melFramesPerEncoderFrame }: StreamingSettings, { fbank, sampleRate }: DiarizationManifest): number =>
  (firstFrame * melFramesPerEncoderFrame * fbankGeometry(fbank, sampleRate).hopSamples) / sampleRate;

/** The mel frames have no state: both computations are the same. */
function featuresReport({ inputs }: GoldenStep, { features }: OwnStep, tolerance: Tolerance, override?: ToleranceOverride): StepStageReport {
  const golden = tensorNamed(inputs, FEATURES);
  const { axes } = golden;
  const bound = stageTolerance(tolerance, ['float32'], override);
  const measures = measure(features, golden, axes);
  const shapesFit = hasShape(features, golden.shape);
  const verdict = shapesFit ? judgeMeasures(measures, bound) : 'fail';
  const step: StageReport = {
    name: FEATURES,
    value: null,
    axes,
    shape: features.shape,
    goldenShape: golden.shape,
    shapesFit,
    tolerance: bound,
    ...measures,
    verdict,
    forced: null,
    inherited: false,
    upstream: [],
    notes: [],
    uncomparedBefore: [],
    causes: [],
  };
  return { name: FEATURES, step, own: { ...measures, verdict }, drift: 0 };
}

function stageReport(step: StageReport, { planned, actual, golden }: StageTensors, own: OwnStep): StepStageReport {
  const computed = own.values.get(planned.value)!;
  const measures: Measures = measure(computed, golden, step.axes);
  const verdict = hasShape(computed, golden.shape) ? judgeMeasures(measures, step.tolerance) : 'fail';
  return { name: step.name, step, own: { ...measures, verdict }, drift: measure(computed, actual, step.axes).relative };
}

function stateReport({ inputs }: GoldenStep, { state }: OwnStep): StateReport {
  const golden = tensorNamed(inputs, STATE);
  const [goldenFrames = 0, hidden = 0] = golden.shape;
  const frames = state.shape[0] ?? 0;
  if (frames !== goldenFrames) return { frames, goldenFrames, otherFrames: null, relative: null };
  const isOther = (frame: number): boolean => !(cosineOf(state.data, golden.data, frame * hidden, hidden) >= SAME_FRAME_COSINE);
  const otherFrames = Array.from({ length: frames }, (_, frame) => frame).filter(isOther).length;
  return { frames, goldenFrames, otherFrames, relative: frames === 0 ? null : measure(state, golden, ['frame', 'channel']).relative };
}

function cosineOf(a: Float32Array, b: Float32Array, start: number, length: number): number {
  let [dot, ofA, ofB] = [0, 0, 0];
  for (let i = start; i < start + length; i++) {
    dot += a[i]! * b[i]!;
    ofA += a[i]! ** 2;
    ofB += b[i]! ** 2;
  }
  return dot / Math.sqrt(ofA * ofB);
}

function verdictOf(
  stages: readonly StepStageReport[],
  firstDivergence: string | null,
  { frames, goldenFrames, otherFrames }: StateReport,
): Pick<StepReport, 'verdict' | 'firstDivergence'> {
  const [features] = stages;
  if (features?.step.verdict === 'fail') return { verdict: 'step', firstDivergence: FEATURES };
  if (firstDivergence !== null) return { verdict: 'step', firstDivergence };
  const drifted = stages.find(({ own }) => own.verdict === 'fail');
  if (!drifted) return { verdict: 'pass', firstDivergence: null };
  return { verdict: 'drift', firstDivergence: frames !== goldenFrames || otherFrames! > 0 ? STATE : drifted.name };
}

/** Counts the decisions of the last stage for which the bundle states a threshold, in the frames of the chunk. */
function decisionsOf(tensors: readonly StageTensors[], { state, values }: OwnStep, chunkFrames: number): StepDecisions | null {
  const found = tensors.findLast(({ planned }) => planned.golden.decisions?.kind === 'threshold');
  if (!found) return null;
  const { planned, actual, golden } = found;
  const own = values.get(planned.value)!;
  const embeddings = state.shape[0]! + values.get(STACKED)!.shape[0]!;
  // Each encoder frame has the same number of values. Look-ahead at the end is not decided.
  const perFrame = golden.data.length / embeddings;
  const [start, end] = [state.shape[0]! * perFrame, Math.min(embeddings, state.shape[0]! + chunkFrames) * perFrame];
  const isActive = thresholdOf(planned.golden);
  const count = ({ data }: Tensor): number => {
    let differing = 0;
    for (let i = start; i < end; i++) if (isActive(data[i]!) !== isActive(golden.data[i]!)) differing++;
    return differing;
  };
  return { total: end - start, step: count(actual), own: own.data.length === golden.data.length ? count(own) : end - start };
}

const STACKED = 'stacked';

function thresholdOf({ decisions }: GoldenStage): (value: number) => boolean {
  // The default of the format.
  const threshold = decisions?.threshold ?? 0.5;
  return (value) => value > threshold;
}

function sumOf(steps: readonly StepReport[]): StepDecisions | null {
  const all = steps.flatMap(({ decisions }) => (decisions ? [decisions] : []));
  if (all.length === 0) return null;
  const sum = (name: keyof StepDecisions): number => all.reduce((total, one) => total + one[name], 0);
  return { total: sum('total'), step: sum('step'), own: sum('own') };
}
