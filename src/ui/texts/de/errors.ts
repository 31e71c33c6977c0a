import type { ErrorCode } from '../../../util/errors';
import type { ErrorWords } from '../en/errors';

/** The engine's failures in German. Its own words, with the details, stand below them in English. */
export const errorsDe: Readonly<Record<ErrorCode, ErrorWords>> = {
  'audio-empty': { problem: 'Die Datei ist leer', remedy: 'Wählen Sie eine andere Datei, oder kopieren Sie diese noch einmal' },
  'audio-unsupported': {
    problem: 'Die Datei enthält kein Audio oder Video, das dieser Browser lesen kann, oder keine Tonspur',
    remedy: 'Wandeln Sie die Aufnahme um, zum Beispiel in WAV, oder wählen Sie eine andere Datei',
  },
  'audio-no-samples': { problem: 'Die Tonspur der Datei ist leer', remedy: 'Wählen Sie eine andere Aufnahme, oder exportieren Sie diese noch einmal' },
  'audio-truncated': { problem: 'Die Datei endet, bevor der angekündigte Ton zu Ende ist', remedy: 'Kopieren oder laden Sie die ganze Datei noch einmal' },
  'audio-channels': { problem: 'Die Anzahl der Kanäle lässt sich nicht zu einem einzigen mischen', remedy: 'Exportieren Sie die Aufnahme in Mono oder Stereo' },
  'audio-not-finite': { problem: 'Der Ton enthält Werte, die keine Zahlen sind', remedy: 'Exportieren Sie die Aufnahme noch einmal, zum Beispiel als 16-Bit-PCM' },
  'audio-decode': { problem: 'Die Datei ist beschädigt: Mittendrin ließ sie sich nicht weiter lesen', remedy: 'Kopieren Sie die Datei noch einmal, oder wandeln Sie sie um' },
  'audio-missing': { problem: 'Die Aufnahme ließ sich nicht laden', remedy: 'Prüfen Sie die Verbindung, und versuchen Sie es noch einmal, oder wählen Sie eine andere Aufnahme' },
  'source-missing': { problem: 'Unter dieser Adresse gibt es keine Aufnahme', remedy: 'Prüfen Sie die Adresse, oder wählen Sie eine andere Aufnahme' },
  options: { problem: 'Eine Einstellung ist außerhalb des Erlaubten oder widerspricht einer anderen', remedy: 'Ändern Sie die Einstellung, und versuchen Sie es noch einmal' },
  'model-missing': { problem: 'Eine Modelldatei ließ sich nicht laden', remedy: 'Prüfen Sie die Verbindung, und versuchen Sie es noch einmal' },
  'model-download': {
    problem: 'Eine Modelldatei kam auch nach mehreren Versuchen nicht vollständig an',
    remedy: 'Versuchen Sie es noch einmal: Was schon da ist, bleibt erhalten. Oder legen Sie eine vorhandene Datei auf der Seite ab',
  },
  'model-altered': {
    problem: 'Eine Modelldatei ist nicht die richtige: Ihre Prüfsumme weicht ab',
    remedy: 'Leeren Sie den Browser-Cache, oder laden Sie die Datei noch einmal',
  },
  storage: {
    problem: 'Der Browser lässt die Seite ihre gespeicherten Daten nicht ändern',
    remedy: 'Erlauben Sie der Seite, Daten zu speichern, oder löschen Sie ihre Daten in den Browsereinstellungen',
  },
  'model-invalid': { problem: 'Ein Modell hat nicht die nötige Form', remedy: 'Wählen Sie eine andere Modelldatei' },
  'model-output': { problem: 'Ein Modell lieferte Werte, die keine Zahlen sind', remedy: 'Wiederholen Sie auf WASM oder mit einem anderen Modell' },
  'backend-unavailable': { problem: 'Das gewählte Backend gibt es hier nicht', remedy: 'Wählen Sie ein anderes Backend oder Automatisch' },
  'backend-failed': { problem: 'Die Berechnung brach ab und ließ sich nicht fortsetzen', remedy: 'Versuchen Sie es noch einmal, oder wiederholen Sie auf WASM' },
  'gpu-lost': { problem: 'Die Verbindung zur GPU ging verloren', remedy: 'Versuchen Sie es noch einmal, oder wiederholen Sie auf WASM' },
  'gpu-memory': { problem: 'Die GPU hat nicht genug Speicher', remedy: 'Schließen Sie andere Tabs, die die GPU nutzen, oder wiederholen Sie auf WASM' },
  'gpu-wrong': { problem: 'Die GPU rechnet hier falsch', remedy: 'Wiederholen Sie auf WASM' },
  'worker-failed': {
    problem: 'Ein rechnender Teil der Seite konnte nicht starten oder brach ab',
    remedy: 'Laden Sie die Seite neu, und schließen Sie andere Tabs, um Speicher freizugeben',
  },
  format: { problem: 'Die Datei lässt sich nicht lesen: Sie ist beschädigt oder hat ein anderes Format', remedy: 'Wählen Sie eine Datei in einem der genannten Formate' },
  cancelled: { problem: 'Die Arbeit wurde abgebrochen', remedy: 'Starten Sie sie noch einmal' },
  disposed: { problem: 'Dieser Teil der Seite war schon geschlossen', remedy: 'Laden Sie die Seite neu' },
};

export const unexpectedDe: ErrorWords = {
  problem: 'Etwas schlug fehl, womit diese Seite nicht gerechnet hat',
  remedy: 'Versuchen Sie es noch einmal, oder laden Sie die Seite neu',
};

export const unreadableDe: ErrorWords = {
  problem: 'Der Browser kann die Datei nicht mehr lesen: Sie wurde verschoben, geändert oder gelöscht',
  remedy: 'Wählen Sie die Datei noch einmal',
};
