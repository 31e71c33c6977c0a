import type { ErrorCode } from '../../util/errors';
import { formatsIn, licenseName } from '../format';
import type { StageGroupId } from '../stageGroups';
import { type AppWords, backendName, type ErrorWords, type ModelsWords, type Notice } from './en';

/** German texts for the engine's errors. The engine's English message and its details follow below them. */
export const errorsDe: Readonly<Record<ErrorCode, ErrorWords>> = {
  'audio-empty': { problem: 'Die Datei ist leer', remedy: 'Wählen Sie eine andere Datei, oder kopieren Sie diese noch einmal' },
  'audio-unsupported': {
    problem: 'Die Datei enthält kein Audio oder Video, das dieser Browser lesen kann, oder keine Tonspur',
    remedy: 'Wandeln Sie die Aufnahme um, zum Beispiel in WAV, oder wählen Sie eine andere Datei',
  },
  'audio-no-samples': { problem: 'Die Tonspur der Datei ist leer', remedy: 'Wählen Sie eine andere Aufnahme, oder exportieren Sie diese noch einmal' },
  'audio-truncated': { problem: 'Die Datei endet, bevor der angekündigte Ton zu Ende ist', remedy: 'Kopieren oder laden Sie die ganze Datei noch einmal' },
  'audio-channels': { problem: 'Die Anzahl der Kanäle lässt sich nicht zu einem einzigen mischen', remedy: 'Exportieren Sie die Aufnahme in Mono oder Stereo' },
  'audio-not-finite': { problem: 'Der Ton enthält Werte, die keine Zahlen oder zu groß sind', remedy: 'Exportieren Sie die Aufnahme noch einmal, zum Beispiel als 16-Bit-PCM' },
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
  environment: { problem: 'Diese Funktion gibt es im Browser nicht', remedy: 'Benutzen Sie sie in Node' },
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

/** German texts about presets and models on the main page. */

const { bytes: bytesText, clock, count, date, percent, ratio, span } = formatsIn('de');

const facts = (size: string, license: string): string => `${size} · ${licenseName(license)}`;

export const modelsDe: ModelsWords = {
  preset: 'Voreinstellung',
  presets: { auto: 'Automatisch', campplus: 'campplus', 'community-1': 'community-1', nemotron: 'nemotron' },
  presetLines: {
    auto: 'community-1, wenn das Modell in diesem Browser liegt, sonst campplus. Lädt nichts herunter.',
    campplus: 'Embeddings von CAM++, nach Ähnlichkeit gruppiert.',
    'community-1': 'Der Ablauf von pyannote: Embeddings von WeSpeaker ResNet34, gruppiert mit PLDA und VBx.',
    nemotron: 'Nemotron 3 Diarization von NVIDIA: Ein Modell findet und verfolgt bis zu acht Sprecher. Hier nicht gemessen.',
  },
  presetNow: { auto: 'Voreinstellung: automatisch', campplus: 'campplus', 'community-1': 'community-1', nemotron: 'nemotron' },
  comesAlong: (license) => facts('in dieser Seite enthalten', license),
  isHere: (license) => facts('in diesem Browser', license),
  toDownload: (bytes, license) => facts(`${bytesText(bytes)} herunterzuladen`, license),
  chooseFile: 'Modelldatei verwenden',
  toOffer: 'Einzelheiten und Download',
  networks: { 'community-1': 'ein WeSpeaker ResNet34', nemotron: 'ein Nemotron 3 Diarization' },

  box: 'Modell',
  offer: {
    heading: (preset) => `${preset} verwenden`,
    leads: {
      'community-1': 'Der offene Ablauf von pyannote, mit Embeddings von WeSpeakers ResNet34. Wird einmal heruntergeladen und in diesem Browser behalten; Aufnahmen bleiben weiterhin hier.',
      nemotron: 'Nemotron 3 Diarization von NVIDIA: Ein Modell findet und verfolgt bis zu acht Sprecher. Wird einmal heruntergeladen und in diesem Browser behalten; Aufnahmen bleiben weiterhin hier.',
    },
    facts: (bytes, license, attribution) => `${bytesText(bytes)}, ${licenseName(license)}. ${attribution}.`,
    take: (bytes) => `${bytesText(bytes)} herunterladen`,
    goOn: (bytes) => `Download fortsetzen, noch ${bytesText(bytes)}`,
    orFile: 'Stattdessen können Sie eine vorhandene Datei auf dieser Seite ablegen.',
    labels: { download: 'Download', kept: 'In diesem Browser behalten', license: 'Lizenz', source: 'Quelle', rates: 'Fehlerraten' },
    size: (bytes) => bytesText(bytes),
    kept: (files, bytes) => {
      const each = files.map((file) => {
        const size = files.length === 1 ? bytesText(file.bytes) : `${bytesText(file.bytes)} für ${file.backends.map(backendName).join(' und ')}`;
        return file.isConverted ? `${size}, umgewandelt` : size;
      });
      return files.some(({ isConverted }) => isConverted) ? `${each.join(', oder ')}. Nach einer Umwandlung kann das Original (${bytesText(bytes)}) gelöscht werden` : each.join(', oder ');
    },
    revision: (revision) => `Revision ${revision.slice(0, 12)}`,
    rates: { nemotron: 'Nur die der Modellkarte: Voxlane hat sie noch nicht mit der offiziellen Datei überprüft.' },
  },
  downloading: (preset) => `${preset} wird heruntergeladen`,
  waiting: (preset) => `Ein anderer Tab lädt ${preset} herunter oder wandelt es um. Dieser Tab macht danach weiter`,
  converting: (preset) => `${preset} wird für diesen Browser umgewandelt, einmalig`,
  progress: { download: 'Fortschritt des Downloads', convert: 'Fortschritt der Umwandlung' },
  checking: (file) => `${file} wird geprüft`,
  starting: 'Modelle werden gestartet',
  received: (receivedBytes, totalBytes) =>
    `${bytesText(receivedBytes)} von ${bytesText(totalBytes)} · ${percent(totalBytes > 0 ? receivedBytes / totalBytes : 0)}`,
  stop: 'Abbrechen',

  question: {
    heading: 'Trotzdem verwenden?',
    unknown: (file) => `Für ${file} bürgt niemand: Die SHA-256-Summe ist keine von denen, die diese Seite kennt.`,
    checked: {
      'community-1': (network) =>
        `Wenn Sie zustimmen, wird zuerst geprüft, ob es ${network} ist: Namen und Formen, und dass die Ausgabe für einen Testton weder NaN noch überall null ist und eine übliche Größe hat. Ob es Stimmen unterscheidet, lässt sich nicht prüfen.`,
      nemotron: (network) =>
        `Wenn Sie zustimmen, wird zuerst geprüft, ob es ${network} ist: Namen, Typen und Formen, dass die Gewichte endlich sind, und dass die Ausgabe für einen Testton endlich ist und vom Ton abhängt. Ob es Stimmen unterscheidet, lässt sich nicht prüfen.`,
    },
    yes: 'Trotzdem verwenden',
    no: 'Nicht verwenden',
    noAndRun: 'Ohne die Datei weitermachen',
  },
  failed: {
    download: (preset) => `${preset} konnte nicht heruntergeladen werden`,
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
    part: (receivedBytes, bytes) => `${bytesText(receivedBytes)} von ${bytesText(bytes)} heruntergeladen`,
    license: (spdx) => (spdx === null ? 'Lizenz unbekannt' : licenseName(spdx)),
    since: (storedAtMs) => `seit ${date(storedAtMs)}`,
    remove: 'Löschen',
    removeLabel: (id) => `${id} löschen`,
    original: (bytes) => `Original löschen (${bytesText(bytes)})`,
    originalLabel: (id, bytes) => `Original von ${id} löschen (${bytesText(bytes)}) und die umgewandelte Datei behalten`,
    confirm: (bytes) => `Löschen? Für die nächste Verwendung müssten ${bytesText(bytes)} neu geladen werden.`,
    yes: 'Ja, löschen',
    no: 'Behalten',
  },
};

/** German texts of the main page. A turn is a `Beitrag`, a track a `Spur`. */

const plural = (n: number, one: string, many: string): string => `${count(n)} ${n === 1 ? one : many}`;
/** The plural of `Sprecher` is the same. */
const speakers = (n: number): string => `${count(n)} Sprecher`;
const turns = (n: number): string => plural(n, 'Beitrag', 'Beiträge');

const STAGES: Readonly<Record<StageGroupId, string>> = {
  decode: 'Ton lesen',
  segmentation: 'Sprache finden',
  fbank: 'Stimmmerkmale',
  embedding: 'Embeddings',
  clustering: 'Stimmgruppen',
};

const NOTICES: Readonly<Record<Notice, string>> = {
  busy: 'Nur eine Aufnahme auf einmal: Die laufende geht weiter, die neue wurde nicht übernommen.',
  'busy-model': 'Modelle werden nur zwischen zwei Aufnahmen übernommen: Die laufende geht weiter, das Modell wurde nicht übernommen.',
  cancelled: 'Abgebrochen. Nichts wurde behalten.',
  'first-only': 'Es wurden mehrere Dateien abgelegt. Nur die erste wurde übernommen.',
  'options-range': 'Die kleinste Sprecherzahl ist größer als die größte.',
  'options-number': 'Die Sprecherzahl muss eine ganze Zahl ab 1 sein.',
  'download-stopped': 'Der Download wurde angehalten. Was schon da ist, bleibt erhalten; er kann dort weitergehen.',
  'conversion-stopped': 'Die Umwandlung wurde angehalten. Der Download bleibt erhalten; die nächste Verwendung wandelt ihn erneut um.',
  'preset-ready': 'Das Modell ist bereit. Die nächste Aufnahme läuft damit.',
  'model-deleted': 'Das Modell wurde aus diesem Browser gelöscht.',
};

export const appDe: AppWords = {
  name: 'Voxlane',
  tagline: 'Wer spricht wann? Berechnet in diesem Browser. Ihre Aufnahme verlässt dieses Gerät nie.',
  skip: 'Zum Inhalt springen',
  theme: 'Zwischen hell und dunkel wechseln',
  language: 'Sprache',
  languageBusy: 'Eine andere Sprache lädt die Seite neu; was offen oder in Arbeit ist, ginge verloren',
  dismiss: 'Diese Meldung schließen',
  compare: { href: 'compare.html', label: 'Modell vergleichen' },
  pageTitle: {
    empty: 'Voxlane: wer wann spricht, direkt im Browser',
    working: (file) => `${file} wird analysiert · Voxlane`,
    done: (file) => `${file} · Voxlane`,
    error: 'Nicht analysiert · Voxlane',
  },
  notices: NOTICES,

  empty: {
    heading: 'Aufnahme öffnen und sehen, wer wann spricht',
    lead: 'Legen Sie eine Audio- oder Videodatei irgendwo auf dieser Seite ab.',
    choose: 'Datei auswählen',
    sample: 'Beispiel ausprobieren',
    sampleName: 'sample.wav',
    formats: 'WAV, MP3, M4A, FLAC, OGG, MP4, MOV, WebM. Nichts wird hochgeladen.',
    facts: [
      ['Hinein geht', 'Eine Audio- oder Videodatei'],
      ['Heraus kommt', 'Jeder Beitrag jedes Sprechers: zum Anhören, Korrigieren und Mitnehmen als RTTM, JSON, Untertitel und mehr'],
      ['Dieses Gerät verlässt', 'Nichts'],
    ],
    back: (file) => `Zurück zum Ergebnis für ${file}`,
  },
  drop: {
    ready: 'Aufnahme ablegen, um sie zu analysieren, oder eine Modelldatei, um sie zu verwenden',
    busy: 'Nur eine Aufnahme auf einmal: Brechen Sie zuerst die laufende ab',
  },
  options: {
    summary: 'Optionen',
    speed: 'Tempo',
    speeds: { exact: 'Genau', fast: 'Schnell' },
    speedCost: {
      exact: {
        what: 'Die Berechnung von pyannote: Embeddings aus jedem Fenster.',
        cost: 'Beispiel (halbe Minute): 3 s auf zwei Kernen ohne GPU; Fehlerrate auf acht Aufnahmen 32,1 %.',
      },
      fast: {
        what: 'Embeddings nur aus jedem fünften oder zehnten Fenster; die Sprecher können anders ausfallen.',
        cost: 'Beispiel: 1,2 s auf zwei Kernen ohne GPU; Fehlerrate auf denselben Aufnahmen 31,6 %.',
      },
    },
    speakers: 'Anzahl der Sprecher',
    mode: { auto: 'Automatisch', exact: 'Genau', range: 'Zwischen' },
    exact: 'Genaue Anzahl der Sprecher',
    min: 'Kleinste Anzahl der Sprecher',
    max: 'Größte Anzahl der Sprecher',
    and: 'und',
    backend: 'Modelle ausführen auf',
    backends: { auto: 'Automatisch', webgpu: 'WebGPU', wasm: 'WASM' },
    backendHint: 'Automatisch nimmt das schnellste, das auf diesem Gerät funktioniert.',
    lacking: {
      exact: (preset) => `${preset} hat nur ein Tempo: Das Modell berechnet alles.`,
      fast: (preset) => `Nicht mit ${preset}: Es gibt keine Embeddings, die wegfallen könnten.`,
    },
    checkGpu: 'GPU erneut prüfen',
    gpuForgotten: 'Die GPU wird vor der nächsten Aufnahme erneut geprüft.',
    now: (...choices) => choices.join(' · '),
    speedNow: { exact: 'Tempo: genau', fast: 'Tempo: schnell' },
    speakersNow: {
      auto: 'Sprecher: automatisch',
      exact: speakers,
      range: (min, max) => `${min} bis ${max} Sprecher`,
    },
    backendNow: { auto: 'Backend: automatisch', webgpu: 'auf WebGPU', wasm: 'auf WASM' },
  },

  running: {
    label: 'In Arbeit',
    loading: 'Modelle werden geladen',
    working: 'Wird analysiert',
    elapsed: 'Vergangen',
    cancel: 'Abbrechen',
    escape: 'Esc',
    stages: STAGES,
    waiting: 'wartet',
    done: 'fertig',
    of: (completed, total) => `${count(completed)} / ${count(total)}`,
    left: (seconds) => (seconds < 1 ? 'noch unter 1 s' : `noch ${span(Math.ceil(seconds))}`),
    bar: (stage, fraction) => `${stage}: ${percent(fraction)}`,
    preview: {
      label: 'Bisher',
      covers: (seconds) => `Die ersten ${span(seconds)}`,
      found: (numSpeakers, numTurns) =>
        numTurns === 0 ? 'noch keine Sprache' : `${speakers(numSpeakers)} · ${turns(numTurns)}`,
      hint: 'Vorläufig: Beiträge und Sprecher können sich ändern, bis die ganze Aufnahme fertig ist.',
      tracks: 'Zeitachse der bisherigen Sprecher',
    },
  },

  done: {
    label: 'Ergebnis',
    summary: (numSpeakers, numTurns, seconds) => [speakers(numSpeakers), turns(numTurns), clock(seconds)].join(' · '),
    rttm: 'RTTM',
    rttmLabel: 'RTTM herunterladen',
    json: 'JSON',
    jsonLabel: 'JSON herunterladen',
    again: 'Neue Aufnahme',
    play: 'Abspielen',
    pause: 'Pause',
    position: 'Position',
    silence: 'niemand spricht',
    playback: {
      unplayable: 'Dieser Browser kann die Datei nicht abspielen. Spuren und Tabelle zeigen das Ergebnis trotzdem.',
      'no-output': 'Es wurde kein Audioausgabegerät gefunden. Schließen Sie eines an, und drücken Sie auf „Abspielen“.',
      stopped: 'Die Wiedergabe wurde unterbrochen. Prüfen Sie das Audioausgabegerät, und drücken Sie dann auf „Abspielen“.',
    },
    modeLabel: 'Beiträge',
    mode: { overlapping: 'Überlappend', exclusive: 'Exklusiv' },
    modeHint: 'Exklusiv behält immer nur einen Sprecher auf einmal, zum Zuordnen von Transkripten.',
    zoomIn: 'Vergrößern',
    zoomOut: 'Verkleinern',
    zoomFit: 'Ganz',
    zoomFitLabel: 'Die ganze Aufnahme zeigen',
    tracks: 'Zeitachse der Sprecher',
    at: (seconds, names) => `${clock(seconds, 1)}, ${names}`,
    share: (fraction) => percent(fraction),
    trackTitle: (name, seconds, share) => `${name}: ${span(seconds)} Sprache, ${percent(share)} aller Sprache`,
    keys: [
      ['Leertaste', 'Abspielen oder Pause'],
      ['← →', '5 Sekunden'],
      ['↑ ↓', 'Beitrag für Beitrag in der Tabelle'],
      ['Enter', 'Beitrag abspielen'],
    ],
    keysLabel: 'Tasten',
    table: 'Beiträge',
    columns: { start: 'Beginn', end: 'Ende', length: 'Länge', speaker: 'Sprecher' },
    run: 'Dieser Lauf',
    speaker: (index) => `Sprecher ${index + 1}`,
  },
  details: {
    preset: 'Voreinstellung',
    speed: 'Tempo',
    speeds: { exact: 'genau', fast: 'schnell' },
    embeddingModel: (sha256) => `Modell ${sha256.slice(0, 12)}…`,
    backend: 'Backend',
    threads: (n) => plural(n, 'Thread', 'Threads'),
    processing: 'Rechenzeit',
    factor: 'Echtzeitfaktor',
    audio: 'Audiolänge',
    stages: 'Arbeit je Stufe',
    stagesHint: 'Die Stufen laufen nebeneinander und können zusammen länger sein als die Rechenzeit.',
    faster: (rtf) => (rtf < 1 ? `${ratio(1 / rtf)} × schneller als Echtzeit` : `${ratio(rtf)} × langsamer als Echtzeit`),
  },
  selfCheck: {
    heading: (passed) => (passed ? 'Selbsttest: bestanden' : 'Selbsttest: nicht bestanden'),
    link: 'Alle Stufen ansehen',
    columns: ['Stufe', 'Abweichung', 'Erlaubt', 'Urteil'],
    pass: 'bestanden',
    fail: 'nicht bestanden',
    backends: { webgpu: 'WebGPU', kernels: 'WASM-Kernel von Voxlane', wasm: 'ONNX Runtime auf WASM' },
    hint: 'Bevor ein Backend verwendet wird, muss es Referenzausgaben wiedergeben, eine GPU auch die Ausgaben von WASM. Die Prüfung wird nach 30 Tagen wiederholt, oder wenn Sie in den Optionen „GPU erneut prüfen“ wählen.',
    compare: (model) => `${model} Schicht für Schicht vergleichen`,
    fallback: 'Diese GPU rechnet nicht, wie sie soll, und wurde für dieses Ergebnis nicht verwendet.',
    kernelFallback: 'Die WASM-Kernel von Voxlane rechnen in diesem Browser nicht, wie sie sollen. ONNX Runtime hat dieses Ergebnis berechnet.',
  },
  silent: {
    heading: 'Keine Sprache gefunden',
    body: (seconds) => `Die ganze Aufnahme (${clock(seconds)}) wurde analysiert; nirgends wurde eine Stimme erkannt.`,
    hint: 'Falls doch jemand spricht: Prüfen Sie, ob die richtige Tonspur exportiert wurde und ob sie laut genug ist.',
  },
  error: {
    label: 'Nicht analysiert',
    heading: (file) => `${file} konnte nicht analysiert werden`,
    problem: 'Was nicht stimmte',
    expected: 'Was erwartet wurde',
    remedy: 'Was Sie tun können',
    choose: 'Andere Datei auswählen',
    retry: 'Noch einmal versuchen',
    wasm: 'Auf WASM wiederholen',
    bundled: 'Mit campplus wiederholen',
    options: 'Optionen ändern',
    back: (file) => `Zurück zum Ergebnis für ${file}`,
    kept: 'Ihr letztes Ergebnis ist noch da.',
    code: (code) => `Code: ${code}`,
    original: 'Die genaue Meldung, auf Englisch',
    details: 'Technische Einzelheiten',
  },
  announce: {
    started: (file) => `${file} wird analysiert. Modelle werden geladen.`,
    stage: (stage) => stage,
    preview: ({ analyzedSeconds, turns: found }) =>
      found.length === 0
        ? `Keine Sprache in den ersten ${span(analyzedSeconds)}.`
        : `Die Beiträge der ersten ${span(analyzedSeconds)} sind zu sehen. Sie können sich noch ändern.`,
    done: (numSpeakers, numTurns) =>
      numTurns === 0 ? 'Fertig. Keine Sprache gefunden.' : `Fertig. ${speakers(numSpeakers)}, ${turns(numTurns)}.`,
  },
};
