import type { ErrorKind } from '../../score/der';
import { clock, count, decimal, percent } from '../../ui-kit/format';
import { inLanguage } from '../../ui-kit/texts/language';

/** An error as the list tells it; names as people see them. */
export interface ToldError {
  readonly kind: ErrorKind;
  readonly reference: string;
  readonly speaker: string;
}

/** `5.21 %`: two decimals, as error rates are reported. */
export const rate = (fraction: number): string => percent(fraction, 2);
/** `12.34 s`: whole numbers of hours would hide what a correction changes. */
export const seconds = (value: number): string => `${decimal(value, 2)} s`;

/** Every word of the score panel. */
export const scoreText = inLanguage(
  {
    lead: 'Compare this result with a reference: an RTTM file in which somebody wrote down who really speaks when. You get the diarization error rate with its parts, and every segment that is wrong, on the tracks and in a list.',
    leadUem: 'A UEM file says which parts of the recording count. It is not needed.',
    files: 'Files',
    reference: 'Reference',
    uem: 'UEM',
    chooseReference: 'Choose a reference (RTTM)',
    otherReference: 'Another reference',
    chooseUem: 'Choose a UEM',
    otherUem: 'Another UEM',
    remove: (file: string) => `Remove ${file}`,
    removeShort: 'Remove',
    recording: 'Recording in the reference',
    chooseRecording: 'Choose …',
    whichRecording: (file: string) => `${file} has several recordings, and none goes by the name of this one. Choose the one that this is.`,
    refused: (file: string) => `${file} was not taken`,
    noScore: 'No score',
    options: 'What counts',
    collar: 'Around each boundary of the reference',
    collars: {
      '0': 'everything counts (no collar)',
      '0.25': '0.125 s before and after do not count (collar 0.25 s in all)',
      '0.5': '0.25 s before and after do not count (collar 0.5 s in all, as NIST has it)',
    },
    skipOverlap: 'Leave out where speakers of the reference overlap',
    turns: 'Turns that are scored',
    modes: { overlapping: 'Overlapping', exclusive: 'Exclusive' },
    modesHint: 'The tracks show the same turns.',

    results: 'Score',
    der: 'Diarization error rate',
    jer: 'Jaccard error rate',
    derHint: 'Missed, false and confused time, as a part of the reference’s speech',
    jerHint: 'Mean over the reference’s speakers: each weighs the same',
    partNames: { correct: 'Correct', missed: 'Missed speech', confusion: 'Confusion', 'false-alarm': 'False alarm' },
    part: (value: number, fraction: number) => `${seconds(value)} · ${rate(fraction)}`,
    total: (value: number) => `of ${seconds(value)} of speech in the reference`,
    summary: (der: number, jer: number, errors: number) =>
      `Diarization error rate ${rate(der)}, Jaccard error rate ${rate(jer)}, ${count(errors)} ${errors === 1 ? 'error' : 'errors'}.`,

    speakers: 'Who is who',
    speakersScroll: 'Table of speakers',
    columns: { reference: 'Reference', result: 'Result', speech: 'Speech', lost: 'Lost', added: 'Added', error: 'Jaccard error' },
    nobody: 'nobody',
    takeNames: 'Take the reference’s names',
    namesTaken: (n: number) => `${count(n)} ${n === 1 ? 'speaker was' : 'speakers were'} renamed.`,
    namesAlready: 'The speakers have the reference’s names already.',

    errors: 'Errors',
    kind: 'Show',
    kinds: { all: 'all', missed: 'missed speech', confusion: 'confusion', 'false-alarm': 'false alarm' },
    shortest: 'Length',
    anyLength: 'any',
    atLeast: (value: number) => `${decimal(value, 1)} s or more`,
    mark: 'Mark on the tracks',
    previous: 'Previous',
    next: 'Next',
    previousLabel: 'Previous error',
    nextLabel: 'Next error',
    list: 'Errors in order of time',
    errorColumns: { start: 'Start', length: 'Length', what: 'What is wrong' },
    told: ({ kind, reference, speaker }: ToldError) =>
      kind === 'missed' ? `Missed: ${reference}` : kind === 'false-alarm' ? `False alarm: ${speaker}` : `Confusion: ${speaker} instead of ${reference}`,
    position: (index: number, total: number) => `Error ${count(index + 1)} of ${count(total)}`,
    where: (start: number, length: number) => `${clock(start, 2)}, ${seconds(length)}`,
    shown: (from: number, to: number, total: number) => `${count(from)} to ${count(to)} of ${count(total)}`,
    counted: (total: number) => (total === 1 ? '1 error' : `${count(total)} errors`),
    notOne: 'No error. The result is the reference, as far as it counts.',
    noneShown: 'No error of this kind and length.',
  },
  {
    de: {
      lead: 'Vergleichen Sie dieses Ergebnis mit einer Referenz: einer RTTM-Datei, in der jemand festgehalten hat, wer wirklich wann spricht. Sie erhalten die Fehlerrate (DER) mit ihren Anteilen und jede falsche Stelle, auf den Spuren und als Liste.',
      leadUem: 'Eine UEM-Datei sagt, welche Teile der Aufnahme zählen. Sie ist nicht nötig.',
      files: 'Dateien',
      reference: 'Referenz',
      uem: 'UEM',
      chooseReference: 'Referenz wählen (RTTM)',
      otherReference: 'Andere Referenz',
      chooseUem: 'UEM wählen',
      otherUem: 'Andere UEM',
      remove: (file) => `${file} entfernen`,
      removeShort: 'Entfernen',
      recording: 'Aufnahme in der Referenz',
      chooseRecording: 'Wählen …',
      whichRecording: (file) => `${file} enthält mehrere Aufnahmen, und keine heißt wie diese. Wählen Sie, welche es ist.`,
      refused: (file) => `${file} wurde nicht übernommen`,
      noScore: 'Keine Bewertung',
      options: 'Was zählt',
      collar: 'Rund um jede Grenze der Referenz',
      collars: {
        '0': 'alles zählt (kein Toleranzbereich)',
        '0.25': 'je 0,125 s davor und danach zählen nicht (zusammen 0,25 s)',
        '0.5': 'je 0,25 s davor und danach zählen nicht (zusammen 0,5 s, wie bei NIST)',
      },
      skipOverlap: 'Auslassen, wo sich Sprecher der Referenz überlappen',
      turns: 'Bewertete Beiträge',
      modes: { overlapping: 'Überlappend', exclusive: 'Exklusiv' },
      modesHint: 'Die Spuren zeigen dieselben Beiträge.',

      results: 'Bewertung',
      der: 'Fehlerrate der Diarisierung (DER)',
      jer: 'Jaccard-Fehlerrate (JER)',
      derHint: 'Fehlende, falsche und verwechselte Zeit im Verhältnis zur Sprache der Referenz',
      jerHint: 'Mittel über die Sprecher der Referenz: Jeder zählt gleich viel',
      partNames: { correct: 'Richtig', missed: 'Fehlende Sprache', confusion: 'Verwechslung', 'false-alarm': 'Fehlalarm' },
      part: (value, fraction) => `${seconds(value)} · ${rate(fraction)}`,
      total: (value) => `von ${seconds(value)} Sprache in der Referenz`,
      summary: (der, jer, errors) => `Fehlerrate ${rate(der)}, Jaccard-Fehlerrate ${rate(jer)}, ${count(errors)} Fehler.`,

      speakers: 'Wer wem entspricht',
      speakersScroll: 'Tabelle der Sprecher',
      columns: { reference: 'Referenz', result: 'Ergebnis', speech: 'Sprache', lost: 'Verloren', added: 'Zu viel', error: 'Jaccard-Fehler' },
      nobody: 'niemand',
      takeNames: 'Namen der Referenz übernehmen',
      namesTaken: (n) => `${count(n)} Sprecher ${n === 1 ? 'wurde' : 'wurden'} umbenannt.`,
      namesAlready: 'Die Sprecher heißen schon wie in der Referenz.',

      errors: 'Fehler',
      kind: 'Zeigen',
      kinds: { all: 'alle', missed: 'fehlende Sprache', confusion: 'Verwechslungen', 'false-alarm': 'Fehlalarme' },
      shortest: 'Länge',
      anyLength: 'beliebig',
      atLeast: (value) => `ab ${decimal(value, 1)} s`,
      mark: 'Auf den Spuren markieren',
      previous: 'Voriger',
      next: 'Nächster',
      previousLabel: 'Voriger Fehler',
      nextLabel: 'Nächster Fehler',
      list: 'Fehler in zeitlicher Reihenfolge',
      errorColumns: { start: 'Beginn', length: 'Länge', what: 'Was falsch ist' },
      told: ({ kind, reference, speaker }) =>
        kind === 'missed' ? `Fehlt: ${reference}` : kind === 'false-alarm' ? `Fehlalarm: ${speaker}` : `Verwechslung: ${speaker} statt ${reference}`,
      position: (index, total) => `Fehler ${count(index + 1)} von ${count(total)}`,
      where: (start, length) => `${clock(start, 2)}, ${seconds(length)}`,
      shown: (from, to, total) => `${count(from)} bis ${count(to)} von ${count(total)}`,
      counted: (total) => `${count(total)} Fehler`,
      notOne: 'Kein Fehler. Das Ergebnis stimmt mit der Referenz überein, soweit sie zählt.',
      noneShown: 'Kein Fehler dieser Art und Länge.',
    },
  },
);
