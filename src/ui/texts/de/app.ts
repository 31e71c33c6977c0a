import type { StageGroupId } from '../../stageGroups';
import type { Notice } from '../../state';
import { formatsIn } from '../../format';
import type { AppWords } from '../en/app';

/** Every word of the main page in German. A turn is a `Beitrag`, a lane a `Spur`. */

const { clock, count, percent, ratio, span } = formatsIn('de');
const plural = (n: number, one: string, many: string): string => `${count(n)} ${n === 1 ? one : many}`;
/** The plural of `Sprecher` is the same word. */
const speakers = (n: number): string => `${count(n)} Sprecher`;
const turns = (n: number): string => plural(n, 'Beitrag', 'Beiträge');

const STAGES: Readonly<Record<StageGroupId, string>> = {
  decode: 'Ton lesen',
  segmentation: 'Sprache finden',
  fbank: 'Stimmmerkmale',
  embedding: 'Stimmabdrücke',
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
  'preset-ready': 'community-1 ist bereit. Die nächste Aufnahme läuft damit.',
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
    ready: 'Aufnahme ablegen, um sie zu analysieren, oder ein Modell (.onnx), um es zu verwenden',
    busy: 'Nur eine Aufnahme auf einmal: Brechen Sie zuerst die laufende ab',
  },
  options: {
    summary: 'Optionen',
    speed: 'Tempo',
    speeds: { exact: 'Genau', fast: 'Schnell' },
    speedCost: {
      exact: {
        what: 'Die Berechnung von pyannote: Stimmabdrücke aus jedem Fenster.',
        cost: 'Beispiel (halbe Minute): 3 s auf zwei Kernen ohne GPU; Fehlerrate auf acht Aufnahmen 32,1 %.',
      },
      fast: {
        what: 'Stimmabdrücke nur aus jedem fünften oder zehnten Fenster; die Sprecher können anders ausfallen.',
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
      lanes: 'Zeitachse der bisherigen Sprecher',
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
    lanes: 'Zeitachse der Sprecher',
    at: (seconds, names) => `${clock(seconds, 1)}, ${names}`,
    share: (fraction) => percent(fraction),
    laneTitle: (name, seconds, share) => `${name}: ${span(seconds)} Sprache, ${percent(share)} aller Sprache`,
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
    preview: ({ analysedSeconds, turns: found }) =>
      found.length === 0
        ? `Keine Sprache in den ersten ${span(analysedSeconds)}.`
        : `Die Beiträge der ersten ${span(analysedSeconds)} sind zu sehen. Sie können sich noch ändern.`,
    done: (numSpeakers, numTurns) =>
      numTurns === 0 ? 'Fertig. Keine Sprache gefunden.' : `Fertig. ${speakers(numSpeakers)}, ${turns(numTurns)}.`,
  },
};
