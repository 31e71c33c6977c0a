import { clock } from '../../ui-kit/format';
import { inLanguage, language } from '../../ui-kit/texts/language';

const megabytes = (bytes: number): string => {
  const value = bytes / 1e6;
  return new Intl.NumberFormat(language, { maximumFractionDigits: value < 10 ? 1 : 0, style: 'unit', unit: 'megabyte' }).format(value);
};
const when = (at: number): string => new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(at);
const count = (value: number): string => new Intl.NumberFormat(language).format(value);

/** Texts about work saved in the browser and about files that are too large. */
export const workText = inLanguage(
  {
    heading: 'Saved in this browser',
    hint: 'Your results and corrections, plus the recordings if there is room. Nothing leaves this machine.',
    open: (name: string) => `Open ${name}`,
    all: (count: number) => `Show all ${count}`,
    facts: (seconds: number, speakers: number, at: number, bytes: number) =>
      [clock(seconds), `${speakers} ${speakers === 1 ? 'speaker' : 'speakers'}`, when(at), megabytes(bytes)].join(' · '),
    noSound: 'without the recording',
    delete: (name: string) => `Delete ${name} from this browser`,
    deleteShort: 'Delete',
    voicesGone: 'The voice data of this result is no longer stored in this browser.',
    notDeleted: (why: string) => `Not deleted: ${why}`,
    sure: (name: string) => `Delete ${name} and its corrections?`,
    keep: 'Keep',
    changedElsewhere: (count: number) =>
      count === 1
        ? 'Your last change was discarded because another tab changed the same item at the same time. This page now shows the version from the other tab.'
        : `Your last ${count} changes were discarded because another tab changed the same items at the same time. This page now shows the version from the other tab.`,
    deletedElsewhere: 'Another tab deleted this result. It remains on this page until you close the page. Your next correction saves it again.',
    saveState: { saved: 'Saved in this browser', saving: 'Saving…', unsaved: 'Not saved' },
    tooMany: (file: string, turns: number, speakers: number, maxTurns: number, maxSpeakers: number) => ({
      problem: `“${file}” has ${count(turns)} turns and ${count(speakers)} speakers`,
      expected: `at most ${count(maxTurns)} turns and ${count(maxSpeakers)} speakers`,
      remedy: 'Split the file and open the parts',
    }),
    tooLarge: (file: string, bytes: number, most: number) => ({
      problem: `“${file}” is ${megabytes(bytes)}`,
      expected: `at most ${megabytes(most)}`,
      remedy: 'Split the file and open the parts',
    }),
    tooManyToReplace: (file: string, turns: number, most: number) => ({
      problem: `“${file}” cannot replace the current turns: there are ${count(turns)} turns in the file or in this result`,
      expected: `at most ${count(most)} turns`,
      remedy: 'Click “New recording” and open the file there',
    }),
    tooManyHere: (turns: number, most: number) => `This result has ${count(turns)} turns. This view supports at most ${count(most)}.`,
    tooManyHint: 'The table, tracks, speakers, corrections, and exports include all turns.',
    tooManyScored: (speakers: number, most: number) => `The reference or the result has ${count(speakers)} speakers. The score supports at most ${count(most)}.`,
    scoreCommand: 'The command npm run score has no turn limit',
    gone: 'This result is no longer stored in this browser.',
    notLoaded: 'Part of the app could not be loaded. Your result is safe: check the connection and reload the page.',
    notListed: 'Earlier results could not be read from this browser. They have not been deleted. Reload the page to try again.',
    failed: (why: string) => `The saved result could not be read: ${why}`,
  },
  {
    de: {
      heading: 'In diesem Browser aufbewahrt',
      hint: 'Ergebnisse mit ihren Korrekturen und, wo Platz ist, die Aufnahmen. Nichts davon verlässt diesen Rechner.',
      open: (name) => `${name} öffnen`,
      all: (count) => `Alle ${count} zeigen`,
      facts: (seconds, speakers, at, bytes) => [clock(seconds), `${speakers} Sprecher`, when(at), megabytes(bytes)].join(' · '),
      noSound: 'ohne die Aufnahme',
      delete: (name) => `${name} aus diesem Browser löschen`,
      deleteShort: 'Löschen',
      voicesGone: 'Die Stimmdaten dieses Ergebnisses sind in diesem Browser nicht mehr vorhanden.',
      notDeleted: (why) => `Es wurde nicht gelöscht: ${why}`,
      sure: (name) => `${name} mit den Korrekturen löschen?`,
      keep: 'Behalten',
      changedElsewhere: (count) =>
        count === 1
          ? 'Ihre letzte Änderung wurde nicht übernommen: Ein anderer Tab hat gleichzeitig dasselbe geändert. Diese Seite zeigt jetzt, was der andere Tab gespeichert hat.'
          : `Ihre letzten ${count} Änderungen wurden nicht übernommen: Ein anderer Tab hat gleichzeitig dasselbe geändert. Diese Seite zeigt jetzt, was der andere Tab gespeichert hat.`,
      deletedElsewhere: 'Ein anderer Tab hat dieses Ergebnis gelöscht. Auf dieser Seite bleibt es, bis Sie sie schließen. Ihre nächste Korrektur speichert es wieder.',
      saveState: { saved: 'In diesem Browser gespeichert', saving: 'Wird gespeichert …', unsaved: 'Nicht gespeichert' },
      tooMany: (file, turns, speakers, maxTurns, maxSpeakers) => ({
        problem: `„${file}“ hat ${count(turns)} Beiträge von ${count(speakers)} Sprechern`,
        expected: `höchstens ${count(maxTurns)} Beiträge und ${count(maxSpeakers)} Sprecher`,
        remedy: 'Teilen Sie die Datei und öffnen Sie die Teile',
      }),
      tooLarge: (file, bytes, most) => ({
        problem: `„${file}“ hat ${megabytes(bytes)}`,
        expected: `höchstens ${megabytes(most)}`,
        remedy: 'Teilen Sie die Datei und öffnen Sie die Teile',
      }),
      tooManyToReplace: (file, turns, most) => ({
        problem: `„${file}“ kann diese Beiträge nicht ersetzen: Auf einer Seite sind es ${count(turns)} Beiträge`,
        expected: `höchstens ${count(most)} Beiträge`,
        remedy: 'Wählen Sie „Neue Aufnahme“ und öffnen Sie die Datei dort',
      }),
      tooManyHere: (turns, most) => `Dieses Ergebnis hat ${count(turns)} Beiträge. Dieser Teil der Seite bearbeitet höchstens ${count(most)}.`,
      tooManyHint: 'Tabelle, Spuren, Sprecher, Korrekturen und Exporte umfassen alle Beiträge.',
      tooManyScored: (speakers, most) => `Auf einer Seite sind es ${count(speakers)} Sprecher. Die Seite bewertet höchstens ${count(most)}.`,
      scoreCommand: 'Der Befehl npm run score hat diese Grenze für Beiträge nicht',
      gone: 'Dieses Ergebnis ist in diesem Browser nicht mehr vorhanden.',
      notLoaded: 'Ein Teil der Seite konnte nicht geladen werden. Ihr Ergebnis bleibt erhalten: Prüfen Sie die Verbindung, und laden Sie die Seite neu.',
      notListed: 'Frühere Ergebnisse konnten nicht aus diesem Browser gelesen werden. Sie sind nicht gelöscht. Laden Sie die Seite neu.',
      failed: (why) => `Das aufbewahrte Ergebnis konnte nicht gelesen werden: ${why}`,
    },
  },
);
