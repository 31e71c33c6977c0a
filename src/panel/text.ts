import type { ErrorQuantiles, StageReport, WorstValue } from '../compare/report';
import { unitOf } from '../compare/verdict';
import { inLanguage } from '../ui-kit/texts/language';
import { exactFigure, figure, NONE, secondsText } from './figures';
import { BACKENDS, type Headline, headlineOf, type StageRow, type State } from './state';
import { compareDe } from './texts/de';
import { compareEn } from './texts/en';

/** All texts of the panel in the language of the page. */
export const text = inLanguage(compareEn, { de: compareDe });

/** `channel 12, frame 331`, without axes of size 1. */
export function placeText(index: readonly number[], axes: readonly string[], shape: readonly number[]): string {
  const { unnamedAxis, onlyValue } = text.detail;
  const parts = index.flatMap((at, axis) => (shape[axis] === 1 ? [] : [`${axes[axis] ?? unnamedAxis(axis)} ${at}`]));
  return parts.join(', ') || onlyValue;
}

/** `channel 12, frame 331 · 5.620 s`. */
export function worstText(worst: WorstValue | null, axes: readonly string[], shape: readonly number[]): string {
  if (!worst) return NONE;
  const place = placeText(worst.index, axes, shape);
  return worst.seconds === null ? place : `${place} · ${secondsText(worst.seconds)}`;
}

/** The same with both values; empty if nothing was measured. `names`: labels of the golden and the computed side. */
export function worstSentence(
  worst: WorstValue | null,
  { axes, shape }: Pick<StageReport, 'axes' | 'shape'>,
  names: readonly [golden: string, ours: string],
): string {
  if (!worst) return '';
  const values = `${names[0]} ${exactFigure(worst.golden)}, ${names[1]} ${exactFigure(worst.actual)}`;
  return text.detail.worst(worstText(worst, axes, shape), values);
}

/** `Errors: 50 % ≤ 1e-6, 90 % ≤ 2e-6, 99 % ≤ 5e-6`; empty if nothing was measured. */
export function quantilesText(quantiles: ErrorQuantiles | null): string {
  return quantiles ? text.detail.quantiles(figure(quantiles.median), figure(quantiles.p90), figure(quantiles.p99)) : '';
}

/** The most informative cause of a stage in one line; null if none is known. */
export function causeSentence(row: StageRow | undefined): string | null {
  const cause = BACKENDS.flatMap((backend) => row?.[backend]?.causes ?? [])[0];
  return cause ? `${text.causes.names[cause.id][0]}: ${cause.evidence}` : null;
}

/**
 * The screen reader announcement for a change; null if there is none. Progress steps are left out, because they would
 * drown out everything else.
 */
export function announcement(next: State, previous: State): string | null {
  if (next.job && next.job.id !== previous.job?.id) return text.jobOn(text.jobs[next.job.kind], next.job.subject);
  if (next.opened && next.opened !== previous.opened && !previous.opened) return text.announce.opened(next.opened.model);
  if (previous.job?.kind === 'compare' && !next.job) return verdictSentence(next);
  if (next.bisect && next.bisect !== previous.bisect) {
    const { node, range } = next.bisect;
    return range ? `${text.bisect.range(range.first, range.last)}.` : text.announce.bisected(node?.name ?? null);
  }
  if (next.audit && next.audit !== previous.audit) return text.announce.audited(next.audit.numFlagged);
  if (next.tolerances !== previous.tolerances) return verdictSentence(next);
  // Failures and notices have their own live regions.
  return null;
}

/** The verdict in one or two sentences, starting with the decisions of the outputs; null if there is no result. */
export function verdictSentence(state: State): string | null {
  const headline = headlineOf(state);
  if (!headline) return null;
  const decisions = decisionsText(headline.decisions);
  const outcome = outcomeSentence(headline);
  return decisions === null ? outcome : `${decisions}. ${outcome}`;
}

/**
 * The number of differing decisions: `3 of 589 frames have a different class, 1 of them near ties`; null if no output
 * makes decisions.
 */
export function decisionsText(decisions: Headline['decisions']): string | null {
  if (decisions.length === 0) return null;
  const sentences = decisions.map((one) => {
    const { stage, kind, differing, total, nearTies } = one;
    const counts = text.verdict.decisions(kind, unitOf(one), differing, total);
    const ties = nearTies > 0 ? `, ${text.verdict.nearTies(nearTies, differing)}` : '';
    return `${decisions.length > 1 ? `${stage}: ` : ''}${counts}${ties}`;
  });
  return sentences.join('; ');
}

function outcomeSentence(headline: Headline): string {
  const { compared, total } = headline.coverage;
  if (headline.verdict === 'incomplete') return text.verdict.incomplete(compared, total);
  if (headline.verdict === 'pass') return compared < total ? text.verdict.passPart(compared, total) : text.verdict.pass(total);
  return headline.firstDivergence === null ? text.verdict.failNowhere : `${text.verdict.fail} ${headline.firstDivergence}`;
}

/** The page title. */
export function titleOf(state: State): string {
  const { job, opened } = state;
  if (job) return text.pageTitle.working(text.jobs[job.kind], job.subject);
  if (!opened) return text.pageTitle.empty;
  const first = headlineOf(state)?.firstDivergence;
  return first ? text.pageTitle.divergence(first, opened.model) : text.pageTitle.opened(opened.model);
}
