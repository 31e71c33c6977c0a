import { clock } from '../format';
import { inLanguage, language } from '../texts/language';

const megabytes = (bytes: number): string => {
  const value = bytes / 1e6;
  return new Intl.NumberFormat(language, { maximumFractionDigits: value < 10 ? 1 : 0, style: 'unit', unit: 'megabyte' }).format(value);
};
const when = (at: number): string => new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(at);

/** Words of what the browser keeps of earlier work. */
export const workText = inLanguage(
  {
    heading: 'Kept in this browser',
    hint: 'Results with their corrections, and the recordings where there is room. Nothing of it leaves this machine.',
    open: (name: string) => `Open ${name}`,
    facts: (seconds: number, speakers: number, at: number, bytes: number) =>
      [clock(seconds), `${speakers} ${speakers === 1 ? 'speaker' : 'speakers'}`, when(at), megabytes(bytes)].join(' · '),
    noSound: 'without the recording',
    delete: (name: string) => `Delete ${name} from this browser`,
    deleteShort: 'Delete',
    voicesGone: 'The voice prints of this result are no longer kept in this browser.',
    notDeleted: (why: string) => `It was not deleted: ${why}`,
    sure: (name: string) => `Delete ${name} with its corrections?`,
    keep: 'Keep',
    elsewhere: 'This result is open in another tab too. What is corrected in both, the last one to save decides: go on in one of them.',
    gone: 'That result is no longer kept in this browser.',
    notLoaded: 'A part of the page could not be loaded. Your result is kept: check the connection and reload the page.',
    failed: (why: string) => `The kept result could not be read: ${why}`,
  },
  {
    de: {
      heading: 'In diesem Browser aufbewahrt',
      hint: 'Ergebnisse mit ihren Korrekturen und, wo Platz ist, die Aufnahmen. Nichts davon verlässt diesen Rechner.',
      open: (name) => `${name} öffnen`,
      facts: (seconds, speakers, at, bytes) => [clock(seconds), `${speakers} Sprecher`, when(at), megabytes(bytes)].join(' · '),
      noSound: 'ohne die Aufnahme',
      delete: (name) => `${name} aus diesem Browser löschen`,
      deleteShort: 'Löschen',
      voicesGone: 'Die Stimmabdrücke dieses Ergebnisses sind in diesem Browser nicht mehr vorhanden.',
      notDeleted: (why) => `Es wurde nicht gelöscht: ${why}`,
      sure: (name) => `${name} mit den Korrekturen löschen?`,
      keep: 'Behalten',
      elsewhere: 'Dieses Ergebnis ist auch in einem anderen Tab geöffnet. Was in beiden korrigiert wird, entscheidet der, der zuletzt speichert: Machen Sie in einem weiter.',
      gone: 'Dieses Ergebnis ist in diesem Browser nicht mehr vorhanden.',
      notLoaded: 'Ein Teil der Seite konnte nicht geladen werden. Ihr Ergebnis bleibt erhalten: Prüfen Sie die Verbindung, und laden Sie die Seite neu.',
      failed: (why) => `Das aufbewahrte Ergebnis konnte nicht gelesen werden: ${why}`,
    },
  },
);
