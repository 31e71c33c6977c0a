import { formatsIn } from '../../format';
import { licenceName } from '../../models/licence';
import type { ModelsWords } from '../en/models';

/** Every word about presets and models on the main page, in German. */

const { bytes: bytesText, count, date, percent } = formatsIn('de');

const facts = (size: string, licence: string): string => `${size} · ${licenceName(licence)}`;

export const modelsDe: ModelsWords = {
  preset: 'Voreinstellung',
  presets: { auto: 'Automatisch', campplus: 'campplus', 'community-1': 'community-1' },
  presetLines: {
    auto: 'community-1, wenn das Modell in diesem Browser liegt, sonst campplus. Lädt nichts herunter.',
    campplus: 'Stimmabdrücke von CAM++, nach Ähnlichkeit gruppiert.',
    'community-1': 'Der Ablauf von pyannote: Stimmabdrücke von WeSpeaker ResNet34, gruppiert mit PLDA und VBx.',
  },
  presetNow: { auto: 'Voreinstellung: automatisch', campplus: 'campplus', 'community-1': 'community-1' },
  comesAlong: (licence) => facts('in dieser Seite enthalten', licence),
  isHere: (licence) => facts('in diesem Browser', licence),
  toDownload: (bytes, licence) => facts(`${bytesText(bytes)} herunterzuladen`, licence),
  chooseFile: 'Modelldatei verwenden (.onnx)',

  box: 'Modell',
  offer: {
    heading: 'community-1 verwenden',
    lead: 'Der offene Ablauf von pyannote, mit Stimmabdrücken von WeSpeakers ResNet34. Wird einmal heruntergeladen und in diesem Browser behalten; Aufnahmen bleiben weiterhin hier.',
    facts: (bytes, licence, attribution) => `${bytesText(bytes)}, ${licenceName(licence)}. ${attribution}.`,
    take: (bytes) => `${bytesText(bytes)} herunterladen`,
    goOn: (bytes) => `Download fortsetzen, noch ${bytesText(bytes)}`,
    orFile: 'Stattdessen können Sie eine vorhandene Datei auf dieser Seite ablegen.',
  },
  downloading: 'community-1 wird heruntergeladen',
  checking: (file) => `${file} wird geprüft`,
  starting: 'Modelle werden gestartet',
  received: (receivedBytes, totalBytes) =>
    `${bytesText(receivedBytes)} von ${bytesText(totalBytes)} · ${percent(totalBytes > 0 ? receivedBytes / totalBytes : 0)}`,
  stop: 'Abbrechen',

  question: {
    heading: 'Trotzdem verwenden?',
    unknown: (file) => `Für ${file} bürgt niemand: Die SHA-256-Summe ist keine von denen, die diese Seite kennt.`,
    checked:
      'Wenn Sie zustimmen, wird zuerst geprüft, ob es ein WeSpeaker ResNet34 ist: was hineingeht, was in welcher Form herauskommt, und dass die Ausgabe für einen Testton weder NaN noch überall null ist und eine übliche Größe hat. Ob es Stimmen unterscheidet, lässt sich nicht prüfen.',
    yes: 'Trotzdem verwenden',
    no: 'Nicht verwenden',
    noAndRun: 'Ohne die Datei weitermachen',
  },
  failed: {
    download: 'community-1 konnte nicht heruntergeladen werden',
    file: (file) => `${file} konnte nicht verwendet werden`,
    deletion: 'Das Modell konnte nicht gelöscht werden',
    retry: 'Noch einmal versuchen',
    dismiss: 'Schließen',
  },

  stored: {
    heading: 'In diesem Browser behaltene Modelle',
    none: 'Keine. Was zu dieser Seite gehört, braucht keinen Speicherplatz.',
    unknown: (problem) => `Sie ließen sich nicht auflisten: ${problem}.`,
    total: (n, bytes) => `${count(n)} ${n === 1 ? 'Modell' : 'Modelle'}, zusammen ${bytesText(bytes)}`,
    size: (bytes) => bytesText(bytes),
    licence: (spdx) => (spdx === null ? 'Lizenz unbekannt' : licenceName(spdx)),
    since: (storedAtMs) => `seit ${date(storedAtMs)}`,
    remove: 'Löschen',
    removeLabel: (id) => `${id} löschen`,
    confirm: (bytes) => `Löschen? Für die nächste Verwendung müssten ${bytesText(bytes)} neu geladen werden.`,
    yes: 'Ja, löschen',
    no: 'Behalten',
  },
};
