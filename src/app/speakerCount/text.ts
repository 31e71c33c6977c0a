import { MENTIONED_SCORE, type SpeakerCount } from '../../engine/speakerCount';
import { span } from '../../ui-kit/format';
import { inLanguage } from '../../ui-kit/texts/language';
import { talkingOf } from './changes';
import type { Proposal } from './session';

const listed = (parts: readonly string[], and: string): string =>
  parts.length < 2 ? (parts[0] ?? '') : `${parts.slice(0, -1).join(', ')} ${and} ${parts.at(-1) ?? ''}`;

const NUMBERS = {
  en: ['two', 'three', 'four', 'five', 'six'],
  de: ['zwei', 'drei', 'vier', 'fünf', 'sechs'],
};

const inWords = (n: number, words: readonly string[]): string => words[n - 2] ?? String(n);

/** Words of the panel that asks for another number of speakers. */
export const countText = inLanguage(
  {
    heading: 'Number of speakers',
    lead: 'Move the slider: the voices are grouped anew and shown on the tracks, dashed. Nothing changes until you accept it.',
    slider: 'Number of speakers',
    value: (n: number) => `${n} ${n === 1 ? 'speaker' : 'speakers'}`,
    auto: 'Automatic',
    autoHint: 'As many as the voices themselves suggest',
    shortestTurn: { label: 'Shortest turn', hint: 'Shorter turns are removed.', value: (seconds: string) => `${seconds} s` },
    shortestGap: { label: 'Shortest pause', hint: 'Shorter pauses between two turns of the same speaker are filled.', value: (seconds: string) => `${seconds} s` },
    keep: 'Keep my corrections',
    keepHint: 'Turns that you confirmed, moved or assigned stay with their speakers; the others are grouped around them.',
    keepNone: 'There are no corrected turns yet.',
    accept: 'Accept',
    takeBack: 'Take back',
    escape: 'Esc',
    preparing: 'Reading the voices of this recording …',
    clustering: 'Grouping the voices …',
    now: (count: string) => `The result has ${count}.`,
    found: (count: string) => `Proposed: ${count}`,
    fewer: (asked: number, found: number) => `Asked for ${asked}, found ${found}.`,
    tooFew: (asked: number, found: number) => `Asked for at least ${asked}, found ${found}.`,
    tooMany: (asked: number, found: number) => `Asked for at most ${asked}, found ${found}.`,
    possibly: (count: string, others: readonly number[]) => `${count}, possibly ${others.join(' or ')}`,
    took: (seconds: number) => `grouped in ${seconds.toFixed(2)} s`,
    merged: (names: readonly string[]) => `${listed(names, 'and')} become one.`,
    split: (name: string, seconds: readonly number[]) =>
      `${name} becomes ${inWords(seconds.length, NUMBERS.en)}: ${listed(seconds.map(span), 'and')}.`,
    gone: (name: string) => `${name} has no turn any more.`,
    moved: (seconds: number, from: string, into: string) => `${span(seconds)} move from ${from} to ${into}.`,
    movedMore: (moves: number, seconds: number) => `${span(seconds)} more move between ${moves} other ${moves === 1 ? 'pair' : 'pairs'} of speakers.`,
    turnsOnly: 'Nobody merges or splits; only the bounds of turns change.',
    same: 'Nothing changes.',
    brief: (name: string, seconds: number) => `${name} says very little: ${span(seconds)}. Listen before you accept.`,
    accepted: (n: number) => `Accepted: ${n} ${n === 1 ? 'speaker' : 'speakers'}. Undo brings the result before back.`,
    takenBack: 'Taken back. The result is as it was.',
    failed: 'The voices could not be grouped',
    labels: { problem: 'Problem', expected: 'Expected', remedy: 'What to do' },
    absent: {
      heading: 'Not for this result',
      imported: 'These turns came from a file, and a file of turns has no voices in it.',
      dropped: 'This browser did not keep the voices of this recording.',
      remedy: 'Open the recording itself and run it again. Then the number of speakers can be changed here at once.',
    },
  },
  {
    de: {
      heading: 'Anzahl der Sprecher',
      lead: 'Bewegen Sie den Regler: Die Stimmen werden neu gruppiert und auf den Spuren gestrichelt gezeigt. Erst wenn Sie es übernehmen, ändert sich etwas.',
      slider: 'Anzahl der Sprecher',
      value: (n) => `${n} Sprecher`,
      auto: 'Automatisch',
      autoHint: 'So viele, wie die Stimmen selbst nahelegen',
      shortestTurn: { label: 'Kürzester Beitrag', hint: 'Kürzere Beiträge werden entfernt.', value: (seconds) => `${seconds} s` },
      shortestGap: { label: 'Kürzeste Pause', hint: 'Kürzere Pausen eines Sprechers werden gefüllt.', value: (seconds) => `${seconds} s` },
      keep: 'Meine Korrekturen behalten',
      keepHint: 'Beiträge, die Sie bestätigt, verschoben oder zugewiesen haben, bleiben bei ihren Sprechern; die übrigen werden um sie herum gruppiert.',
      keepNone: 'Noch ist kein Beitrag korrigiert.',
      accept: 'Übernehmen',
      takeBack: 'Zurücknehmen',
      escape: 'Esc',
      preparing: 'Die Stimmen dieser Aufnahme werden gelesen …',
      clustering: 'Die Stimmen werden gruppiert …',
      now: (count) => `Das Ergebnis hat ${count}.`,
      found: (count) => `Vorschlag: ${count}`,
      fewer: (asked, found) => `Verlangt waren ${asked}; die Stimmen ergeben ${found}.`,
      tooFew: (asked, found) => `Verlangt waren mindestens ${asked}; die Stimmen ergeben ${found}.`,
      tooMany: (asked, found) => `Verlangt waren höchstens ${asked}; die Stimmen ergeben ${found}.`,
      possibly: (count, others) => `${count}, möglicherweise ${others.join(' oder ')}`,
      took: (seconds) => `gruppiert in ${seconds.toFixed(2).replace('.', ',')} s`,
      merged: (names) => `${listed(names, 'und')} werden eins.`,
      split: (name, seconds) =>
        `Aus ${name} werden ${inWords(seconds.length, NUMBERS.de)}: ${listed(seconds.map(span), 'und')}.`,
      gone: (name) => `${name} hat keinen Beitrag mehr.`,
      moved: (seconds, from, into) => `${span(seconds)} gehen von ${from} zu ${into} über.`,
      movedMore: (moves, seconds) => `Weitere ${span(seconds)} wechseln zwischen ${moves} anderen ${moves === 1 ? 'Paar' : 'Paaren'} von Sprechern.`,
      turnsOnly: 'Niemand wird zusammengelegt oder geteilt; nur die Grenzen von Beiträgen ändern sich.',
      same: 'Es ändert sich nichts.',
      brief: (name, seconds) => `${name} sagt sehr wenig: ${span(seconds)}. Hören Sie hinein, bevor Sie übernehmen.`,
      accepted: (n) => `Übernommen: ${n} Sprecher. „Rückgängig“ holt das vorige Ergebnis zurück.`,
      takenBack: 'Zurückgenommen. Das Ergebnis ist wie zuvor.',
      failed: 'Die Stimmen konnten nicht gruppiert werden',
      labels: { problem: 'Problem', expected: 'Erwartet', remedy: 'Abhilfe' },
      absent: {
        heading: 'Bei diesem Ergebnis nicht möglich',
        imported: 'Diese Beiträge kamen aus einer Datei, und in einer solchen Datei sind keine Stimmen.',
        dropped: 'Dieser Browser hat die Stimmen dieser Aufnahme nicht behalten.',
        remedy: 'Öffnen Sie die Aufnahme selbst und lassen Sie sie noch einmal laufen. Dann lässt sich die Zahl der Sprecher hier sofort ändern.',
      },
    },
  },
);

/** More numbers than this do not help. */
const MAX_ALTERNATIVES = 2;

/** The number of speakers with other likely ones: "6 speakers, possibly 5". */
export function countWithAlternatives({ value, alternatives }: SpeakerCount): string {
  const others = alternatives.filter(({ score }) => score >= MENTIONED_SCORE).slice(0, MAX_ALTERNATIVES);
  return others.length === 0 ? countText.value(value) : countText.possibly(countText.value(value), others.map((other) => other.value));
}

/** Which bounds a count does not meet; null if it meets them. */
export function unmetBounds({ value, unmet }: SpeakerCount): string | null {
  if (!unmet) return null;
  const { minSpeakers, maxSpeakers } = unmet;
  if (minSpeakers !== null && minSpeakers === maxSpeakers) return countText.fewer(minSpeakers, value);
  return minSpeakers !== null && value < minSpeakers ? countText.tooFew(minSpeakers, value) : countText.tooMany(maxSpeakers ?? value, value);
}

/** Moves listed one by one. The rest is added up. */
const MAX_MOVES = 5;

/**
 * What a proposal does to the result, sentence by sentence: the number of speakers, merges and splits, speech that moves
 * between speakers, and speakers with very little speech.
 */
export function sentencesOf(
  { request, annotation, changes, brief, speakerCount }: Pick<Proposal, 'request' | 'annotation' | 'changes' | 'brief' | 'speakerCount'>,
  namesBefore: ReadonlyMap<string, string>,
  namesAfter: ReadonlyMap<string, string>,
): readonly string[] {
  const nameBefore = (id: string): string => namesBefore.get(id) ?? id;
  const found = talkingOf(annotation).length;
  // A count that a person asked for has no alternatives.
  const sentences = [countText.found(countWithAlternatives({ ...speakerCount, value: found }))];
  if (typeof request.choice === 'number' && request.choice !== found) sentences.push(countText.fewer(request.choice, found));
  for (const change of changes.speakers) {
    if (change.kind === 'merged') sentences.push(countText.merged(change.from.map(nameBefore)));
    else if (change.kind === 'split') sentences.push(countText.split(nameBefore(change.from), change.into.map(({ seconds }) => seconds)));
    else sentences.push(countText.gone(nameBefore(change.speaker)));
  }
  for (const { from, into, seconds } of changes.moves.slice(0, MAX_MOVES)) {
    sentences.push(countText.moved(seconds, nameBefore(from), namesAfter.get(into) ?? into));
  }
  const rest = changes.moves.slice(MAX_MOVES);
  if (rest.length > 0) sentences.push(countText.movedMore(rest.length, rest.reduce((sum, { seconds }) => sum + seconds, 0)));
  if (changes.speakers.length === 0 && changes.moves.length === 0) sentences.push(changes.hasTurns ? countText.turnsOnly : countText.same);
  for (const { speaker, speechSeconds } of brief) sentences.push(countText.brief(namesAfter.get(speaker.id) ?? speaker.id, speechSeconds));
  return sentences;
}
