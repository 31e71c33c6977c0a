/** The steps of a model with a state, as text. */
import type { StageDecisions, StepDecisions, StepReport, StepsReport, StepStageReport } from '../src/compare/steps/stepsReport';

/** One line for all steps, one per step, and one per stage of the first wrong step. */
export function stepLines({ backend, mode, verdict, first, steps, decisions, causes }: StepsReport): string[] {
  const where = first === null ? '' : `, first in step ${first.step}: ${first.stage}, by ${STEP_CAUSES[first.kind]}`;
  const wrong = steps.find(({ index }) => index === first?.step);
  return [
    `steps on ${backend}, ${mode}: ${verdict}${where}`,
    ...(decisions ? [`  ${decisionText(decisions)}`] : []),
    ...(causes.length > 0 ? [`  ${causeText(causes)}`] : []),
    ...steps.map(stepLine),
    ...(wrong ? [`  stages of step ${wrong.index}, relative errors:`, ...wrong.stages.map(stageLine)] : []),
  ];
}

/** The kind of error of each step that does not pass. */
export const STEP_CAUSES = { step: 'an error of this step', drift: 'drift of the state' } as const;

function decisionText({ total, step, own }: StepDecisions): string {
  const share = (count: number): string => `${count} of ${total} decisions differ (${((10_000 * count) / total).toFixed(1)} per 10,000)`;
  return `golden state: ${share(step)}; own state: ${share(own)}`;
}

function causeText(causes: readonly StageDecisions[]): string {
  const most = causes.reduce((a, b) => (b.count > a.count ? b : a));
  return `decisions changed by a stage, also of the frames of the state: ${causes.map(({ stage, count }) => `${stage} ${count}`).join(', ')}; most by ${most.stage}`;
}

function stepLine({ index, startSeconds, state, verdict, firstDivergence }: StepReport): string {
  const { frames, goldenFrames, otherFrames } = state;
  const known = frames === goldenFrames ? `${frames} frames of state, ${otherFrames} other` : `${frames} frames of state, golden ${goldenFrames}`;
  return `  ${verdict.padEnd(5)} step ${index} at ${startSeconds.toFixed(2)} s, ${known}${firstDivergence === null ? '' : `: ${firstDivergence}`}`;
}

/** Errors of a stage from the golden state and from our own. */
export function stageLine({ name, step, own, drift }: StepStageReport): string {
  const figure = (value: number | null): string => value?.toExponential(1) ?? 'not comparable';
  return `    ${name.padEnd(14)} step ${figure(step.relative)} ${step.verdict}, own state ${figure(own.relative)} ${own.verdict}, drift ${figure(drift)}`;
}
