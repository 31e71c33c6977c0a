import { headlineOf } from './selection';
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

/** The verdict in one sentence; null where there is none. */
export function verdictSentence(state: State): string | null {
  const headline = headlineOf(state);
  if (!headline) return null;
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
