import type { ErrorKind } from '../../score/der';
import { clock, count, decimal, percent } from '../../ui-kit/format';
import { inLanguage } from '../../ui-kit/texts/language';

/** An error as shown in the list, with display names. */
export interface ToldError {
  readonly kind: ErrorKind;
  readonly reference: string;
  readonly speaker: string;
}

/** `5.21 %`: two decimals, as is usual for error rates. */
export const rate = (fraction: number): string => percent(fraction, 2);
/** `12.34 s`: two decimals at any duration, because a coarser unit would hide the effect of a correction. */
export const seconds = (value: number): string => `${decimal(value, 2)} s`;

/** Texts of the score panel. */
export const scoreText = inLanguage(
  {
    lead: 'Compare this result with a reference: an RTTM file that lists who actually speaks when. You get the diarization error rate with its components, and every error on the tracks and in a list.',
    leadUem: 'An optional UEM file defines which parts of the recording are scored.',
    files: 'Files',
    reference: 'Reference',
    uem: 'UEM',
    chooseReference: 'Choose a reference (RTTM)',
    otherReference: 'Choose another reference',
    chooseUem: 'Choose a UEM',
    otherUem: 'Choose another UEM',
    remove: (file: string) => `Remove ${file}`,
    removeShort: 'Remove',
    recording: 'Recording in the reference',
    chooseRecording: 'Choose…',
    whichRecording: (file: string) => `${file} contains several recordings, and none has the name of this one. Choose the matching recording.`,
    refused: (file: string) => `${file} could not be imported`,
    noScore: 'No score',
    options: 'Scoring options',
    collar: 'At each boundary in the reference',
    collars: {
      '0': 'score everything (no collar)',
      '0.25': 'ignore 0.125 s before and after (0.25 s collar in total)',
      '0.5': 'ignore 0.25 s before and after (0.5 s collar in total, as in NIST evaluations)',
    },
    skipOverlap: 'Ignore overlapping speech in the reference',
    turns: 'Scored turns',
    modes: { overlapping: 'Overlapping', exclusive: 'Exclusive' },
    modesHint: 'The tracks show the same turns.',

    results: 'Score',
    der: 'Diarization error rate',
    jer: 'Jaccard error rate',
    derHint: 'Missed speech, false alarms, and confusion as a share of the speech in the reference',
    jerHint: 'Mean over the speakers in the reference, all weighted equally',
    partNames: { correct: 'Correct', missed: 'Missed speech', confusion: 'Confusion', 'false-alarm': 'False alarm' },
    part: (value: number, fraction: number) => `${seconds(value)} · ${rate(fraction)}`,
    total: (value: number) => `of ${seconds(value)} of speech in the reference`,
    summary: (der: number, jer: number, errors: number) =>
      `Diarization error rate ${rate(der)}, Jaccard error rate ${rate(jer)}, ${count(errors)} ${errors === 1 ? 'error' : 'errors'}.`,

    speakers: 'Speaker mapping',
    speakersScroll: 'Speaker mapping table',
    columns: { reference: 'Reference', result: 'Result', speech: 'Speech', lost: 'Lost', added: 'Added', error: 'Jaccard error' },
    nobody: 'nobody',
    takeNames: 'Use the names from the reference',
    namesTaken: (n: number) => `${count(n)} ${n === 1 ? 'speaker was' : 'speakers were'} renamed.`,
    namesAlready: 'The speakers already have the names from the reference.',

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
    list: 'Errors in chronological order',
    errorColumns: { start: 'Start', length: 'Length', what: 'Error' },
    describeError: ({ kind, reference, speaker }: ToldError) =>
      kind === 'missed' ? `Missed: ${reference}` : kind === 'false-alarm' ? `False alarm: ${speaker}` : `Confusion: ${speaker} instead of ${reference}`,
    position: (index: number, total: number) => `Error ${count(index + 1)} of ${count(total)}`,
    where: (start: number, length: number) => `${clock(start, 2)}, ${seconds(length)}`,
    shown: (from: number, to: number, total: number) => `${count(from)} to ${count(to)} of ${count(total)}`,
    counted: (total: number) => (total === 1 ? '1 error' : `${count(total)} errors`),
    notOne: 'No errors. The result matches the scored parts of the reference.',
    noneShown: 'No errors of this kind and length.',
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
      describeError: ({ kind, reference, speaker }) =>
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
