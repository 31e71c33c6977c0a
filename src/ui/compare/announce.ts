import { unitOf } from '../../compare/decisions/worse';
import { headlineOf, type Headline } from './selection';
import type { State } from './state';
import { text } from './text';

/** What a screen reader should say about a change, or null for nothing. Steps of progress would talk over everything. */
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
  // Failures and notices have live roles of their own.
  return null;
}

/** The verdict in one or two sentences, the decisions of the outputs first; null if there is no result. */
export function verdictSentence(state: State): string | null {
  const headline = headlineOf(state);
  if (!headline) return null;
  const decisions = decisionsText(headline.decisions);
  const outcome = outcomeSentence(headline);
  return decisions === null ? outcome : `${decisions}. ${outcome}`;
}

/** How many decisions differ: `3 of 589 frames have another class, 1 of them near ties`; null if no output decides anything. */
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

/** The title of the page. */
export function titleOf(state: State): string {
  const { job, opened } = state;
  if (job) return text.pageTitle.working(text.jobs[job.kind], job.subject);
  if (!opened) return text.pageTitle.empty;
  const first = headlineOf(state)?.firstDivergence;
  return first ? text.pageTitle.divergence(first, opened.model) : text.pageTitle.opened(opened.model);
}
