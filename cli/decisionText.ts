/** The decisions of a comparison as text. */
import { unitOf } from '../src/compare/verdict';
import type { DecisionCause, DecisionReport, DifferingDecision } from '../src/compare/report';

/** `3 of 589 frames have a different class, 2 of them near ties`; with the names of the outputs if there are several. Null without decisions. */
export function decisionSentence(decisions: readonly DecisionReport[]): string | null {
  if (decisions.length === 0) return null;
  return decisions.map((one) => (decisions.length === 1 ? countText(one) : `${one.stage}: ${countText(one)}`)).join('; ');
}

/** The stages that cause the differing decisions, and some examples. */
export function decisionLines(decisions: readonly DecisionReport[], isWithinTolerance: (stage: string) => boolean): string[] {
  return decisions
    .filter(({ differing }) => differing > 0)
    .flatMap((one) => [
      `  decisions of ${one.stage} (${one.reason}): ${countText(one)}`,
      ...(isWithinTolerance(one.stage) ? [`    warning: they differ although ${one.stage} is within its tolerance`] : []),
      ...one.causes.map((cause) => `    ${causeText(cause)}`),
      ...one.examples.map((example) => `    ${exampleText(example, one)}`),
      ...(one.differing > one.examples.length ? [`    and ${one.differing - one.examples.length} more`] : []),
    ]);
}

function countText(decisions: DecisionReport): string {
  const { kind, differing, total, nearTies, threshold } = decisions;
  const isOne = differing === 1;
  const have = isOne ? 'has' : 'have';
  const texts = {
    class: `${unitOf(decisions)}s ${have} a different class`,
    threshold: `values ${isOne ? 'is' : 'are'} on the other side of ${threshold}`,
    value: `values ${isOne ? 'differs' : 'differ'}`,
    rank: `places of the ranking ${have} a different item`,
  };
  const ties = nearTies === 0 ? '' : nearTies < differing ? `, ${nearTies} of them near ties` : isOne ? ', a near tie' : ', all of them near ties';
  return `${differing} of ${total} ${texts[kind]}${ties}`;
}

function causeText({ stage, after, count, untried }: DecisionCause): string {
  const start = after ?? 'the input';
  const gap = untried.length === 0 ? '' : `, between ${start} and ${stage} (not tried: ${untried.join(', ')})`;
  return `caused by ${stage}: ${count}${gap}`;
}

function exampleText({ index, actual, golden, margin, seconds }: DifferingDecision, { axes, kind, labels }: DecisionReport): string {
  const place = index.map((at, axis) => `${axes[axis] ?? `axis${axis}`} ${at}`).join(', ') || 'the only decision';
  const nameOf = (value: number): string => {
    if (!Number.isFinite(value)) return 'NaN';
    if (kind === 'threshold') return value === 1 ? 'above' : 'not above';
    return labels?.[value] === undefined ? String(value) : `${value} (${labels[value]})`;
  };
  const time = seconds === null ? '' : ` (${seconds.toFixed(3)} s)`;
  // The report rounds numbers above 2^53.
  if (actual === golden) return `${place}${time}: another number, both near ${nameOf(actual)}`;
  return `${place}${time}: ${nameOf(actual)} instead of ${nameOf(golden)}${margin === null ? '' : `, margin ${margin.toExponential(1)}`}`;
}
