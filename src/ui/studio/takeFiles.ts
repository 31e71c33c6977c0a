import { sentenceOf } from '../failure';
import { companionKind, isTranscript } from '../work/sortFiles';
import { checkAtOnce } from '../work/limits';
import { readTurnsFor } from '../work/readTurns';
import type { Studio } from './studio';
import { studioText } from './text';

const words = studioText.importing;

export interface FileTakers {
  readonly reference: (files: readonly File[]) => void;
  readonly transcript: (files: readonly File[]) => void;
}

/**
 * Gives each file to the part of the page that it is for.
 *
 * @param purpose an RTTM that is dropped is a reference to score against; one that is imported is to be edited
 */
export async function takeFiles(
  studio: Studio,
  files: readonly File[],
  purpose: 'drop' | 'edit',
  { reference, transcript }: FileTakers,
): Promise<void> {
  const references: File[] = [];
  for (const file of files) {
    const kind = companionKind(file);
    try {
      if (kind === 'uem' || (kind === 'rttm' && purpose === 'drop')) references.push(file);
      else if (await isTranscript(file)) transcript([file]);
      else await importTurns(studio, file);
    } catch (thrown) {
      // Also what the browser throws for a file that is gone since it was dropped.
      studio.say(words.unreadable(file.name, sentenceOf(thrown)));
    }
  }
  if (references.length > 0) {
    reference(references);
    studio.say(words.reference(references.map(({ name }) => name).join(', ')));
  }
}

/** In place of the turns that are there; an undo brings those back. */
async function importTurns(studio: Studio, file: File): Promise<void> {
  const notes: string[] = [];
  // The recording is as long as it is; turns beyond its end would lie where nothing can be heard.
  const { durationSeconds } = studio.get().annotation;
  const imported = await readTurnsFor(studio.scope, file, studio.outcome.name, (note) => notes.push(note), durationSeconds);
  if (!imported) return;
  const { annotation } = imported;
  checkAtOnce(file.name, Math.max(annotation.turns.length, studio.get().annotation.turns.length));
  if (studio.edit({ type: 'replace', annotation })) studio.say([words.imported(file.name, annotation.turns.length), ...notes].join(' '));
}
