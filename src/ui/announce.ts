import { groupProgress } from './stageGroups';
import { jobOf, type State } from './state';
import { text } from './text';

/**
 * What a screen reader should say about a change, or null for nothing. Only changes of phase and the
 * start of a stage are worth a sentence; ticks of a bar would talk over everything else.
 */
export function announcement(next: State, previous: State): string | null {
  const { phase } = next;
  const job = jobOf(next);
  if (job) {
    const before = jobOf(previous);
    if (before?.id !== job.id) return text.announce.started(job.source.name);
    // The first alone: that turns can be looked at is news, that there are more is not.
    if (job.preview && !before.preview) return text.announce.preview(job.preview);
    const earlier = new Set(
      groupProgress(before.stages)
        .filter(({ status }) => status !== 'waiting')
        .map(({ id }) => id),
    );
    const begun = groupProgress(job.stages).find(
      ({ id, status }) => status !== 'waiting' && !earlier.has(id),
    );
    return begun ? text.announce.stage(text.running.stages[begun.id]) : null;
  }
  if (phase.kind === 'done' && previous.phase.kind !== 'done') {
    const { speakers, turns } = phase.outcome.annotation;
    return text.announce.done(speakers.length, turns.length);
  }
  const { preparing } = next.models;
  if (preparing && preparing.id !== previous.models.preparing?.id) {
    return preparing.file ? text.models.checking(preparing.file.name) : text.models.downloading;
  }
  // Errors and notices have live roles of their own.
  return null;
}
