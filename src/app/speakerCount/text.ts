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

/** Texts of the speaker count panel. */
export const countText = inLanguage(
  {
    heading: 'Number of speakers',
    lead: 'Move the slider to regroup the voices. The tracks show the preview with dashed outlines. Nothing changes until you accept it.',
    slider: 'Number of speakers',
    value: (n: number) => `${n} ${n === 1 ? 'speaker' : 'speakers'}`,
    auto: 'Automatic',
    autoHint: 'The number estimated from the voices',
    shortestTurn: { label: 'Shortest turn', hint: 'Shorter turns are removed.', value: (seconds: string) => `${seconds} s` },
    shortestGap: { label: 'Shortest pause', hint: 'Shorter pauses between two turns of the same speaker are filled.', value: (seconds: string) => `${seconds} s` },
    keep: 'Keep my corrections',
    keepHint: 'Turns that you confirmed, moved, or assigned stay with their speakers. All other turns are grouped around them.',
    keepNone: 'There are no corrected turns yet.',
    accept: 'Accept',
    takeBack: 'Discard',
    escape: 'Esc',
    preparing: 'Loading the voices of this recording…',
    clustering: 'Grouping the voices…',
    now: (count: string) => `The result has ${count}.`,
    found: (count: string) => `Preview: ${count}`,
    fewer: (asked: number, found: number) => `Requested ${asked}, found ${found}.`,
    tooFew: (asked: number, found: number) => `Requested at least ${asked}, found ${found}.`,
    tooMany: (asked: number, found: number) => `Requested at most ${asked}, found ${found}.`,
    possibly: (count: string, others: readonly number[]) => `${count}, possibly ${others.join(' or ')}`,
    took: (seconds: number) => `grouped in ${seconds.toFixed(2)} s`,
    merged: (names: readonly string[]) => `${listed(names, 'and')} are merged.`,
    split: (name: string, seconds: readonly number[]) =>
      `${name} is split into ${inWords(seconds.length, NUMBERS.en)}: ${listed(seconds.map(span), 'and')}.`,
    gone: (name: string) => `${name} has no turns left.`,
    moved: (seconds: number, from: string, into: string) => `${span(seconds)} of speech moves from ${from} to ${into}.`,
    movedMore: (moves: number, seconds: number) => `Another ${span(seconds)} moves between ${moves} other ${moves === 1 ? 'pair' : 'pairs'} of speakers.`,
    turnsOnly: 'No speakers are merged or split. Only turn boundaries change.',
    same: 'Nothing changes.',
    brief: (name: string, seconds: number) => `${name} has very little speech: ${span(seconds)}. Listen before you accept.`,
    accepted: (n: number) => `Accepted: ${n} ${n === 1 ? 'speaker' : 'speakers'}. Undo restores the previous result.`,
    takenBack: 'Discarded. The result is unchanged.',
    failed: 'The voices could not be grouped',
    labels: { problem: 'Problem', expected: 'Expected', remedy: 'What to do' },
    absent: {
      heading: 'Not available for this result',
      imported: 'These turns came from a file, and such a file contains no voice data.',
      dropped: 'This browser did not keep the voice data of this recording.',
      remedy: 'Open the recording and run it again. You can then change the number of speakers here instantly.',
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
      found: (count) => `Vorschau: ${count}`,
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

/** Maximum number of alternatives shown. */
const MAX_ALTERNATIVES = 2;

/** The number of speakers with likely alternatives: "6 speakers, possibly 5". */
export function countWithAlternatives({ value, alternatives }: SpeakerCount): string {
  const others = alternatives.filter(({ score }) => score >= MENTIONED_SCORE).slice(0, MAX_ALTERNATIVES);
  return others.length === 0 ? countText.value(value) : countText.possibly(countText.value(value), others.map((other) => other.value));
}

/** A sentence about the bounds that a count does not meet; null if it meets them. */
export function unmetBounds({ value, unmet }: SpeakerCount): string | null {
  if (!unmet) return null;
  const { minSpeakers, maxSpeakers } = unmet;
  if (minSpeakers !== null && minSpeakers === maxSpeakers) return countText.fewer(minSpeakers, value);
  return minSpeakers !== null && value < minSpeakers ? countText.tooFew(minSpeakers, value) : countText.tooMany(maxSpeakers ?? value, value);
}

/** Moves listed individually. The rest is summed up. */
const MAX_MOVES = 5;

/**
 * Describes in sentences how a proposal changes the result: the number of speakers, merges and splits, speech that moves
 * between speakers, and speakers with very little speech.
 */
export function sentencesOf(
  { request, annotation, changes, brief, speakerCount }: Pick<Proposal, 'request' | 'annotation' | 'changes' | 'brief' | 'speakerCount'>,
  namesBefore: ReadonlyMap<string, string>,
  namesAfter: ReadonlyMap<string, string>,
): readonly string[] {
  const nameBefore = (id: string): string => namesBefore.get(id) ?? id;
  const found = talkingOf(annotation).length;
  // A count that the user requested has no alternatives.
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
