import { formatsIn, type Formats } from '../ui-kit/format';
import type { PlaybackProblem } from '../ui-kit/player';
import { LANGUAGES, type Language } from '../ui-kit/texts/language';
import type { RunStep } from './state/phase';
import type { WidgetExport } from './exports';

/**
 * UI texts of the widget. They are separate from the page's texts in `src/ui-kit/texts/text` for two reasons: each
 * element has its own language, and the page's tables would be most of the widget's size.
 */
export interface WidgetWords {
  readonly label: string;
  readonly empty: { readonly heading: string; readonly lead: string; readonly choose: string; readonly formats: string; readonly release: string };
  readonly steps: Readonly<Record<RunStep, string>>;
  readonly downloading: (received: number, total: number) => string;
  readonly converting: (done: number, total: number) => string;
  readonly otherTab: string;
  readonly progress: string;
  readonly left: (seconds: number) => string;
  readonly cancel: string;
  readonly done: {
    readonly summary: (speakers: number, turns: number, seconds: number) => string;
    readonly again: string;
    readonly play: string;
    readonly pause: string;
    readonly position: string;
    readonly at: (seconds: number, speakers: string) => string;
    readonly silence: string;
    /** Reasons why the recording does not play; `absent` if no recording is set. */
    readonly playback: Readonly<Record<PlaybackProblem | 'absent', string>>;
    /** In place of the waveform. */
    readonly wave: { readonly reading: string; readonly undecodable: string; readonly incomplete: string };
    readonly speakers: string;
    readonly speaker: (index: number) => string;
    readonly nameOf: (name: string) => string;
    readonly share: (seconds: number, share: number) => string;
    readonly tracks: string;
    readonly table: { readonly label: string; readonly start: string; readonly end: string; readonly length: string; readonly speaker: string };
    readonly noSpeech: string;
    readonly noSpeechHint: string;
    readonly notes: string;
  };
  readonly exporting: {
    readonly button: string;
    readonly heading: string;
    readonly what: Readonly<Record<WidgetExport, string>>;
    readonly saved: (file: string) => string;
    readonly failed: string;
  };
  readonly failed: {
    readonly heading: (name: string) => string;
    readonly setting: string;
    readonly problem: string;
    readonly expected: string;
    readonly remedy: string;
    readonly retry: string;
    readonly choose: string;
    readonly back: string;
    readonly original: string;
    readonly details: string;
    readonly code: (code: string) => string;
  };
  readonly announce: {
    readonly started: (name: string) => string;
    readonly done: (speakers: number, turns: number) => string;
    readonly cancelled: string;
    readonly renamed: (from: string, to: string) => string;
  };
  readonly recording: string;
  readonly language: Language;
  /** Language of engine messages, which are English; null if the widget is English too. */
  readonly engineLanguage: 'en' | null;
  readonly formats: Formats;
}

function english(): WidgetWords {
  const formats = formatsIn('en');
  const { bytes, clock, count, percent, span } = formats;
  const plural = (n: number, one: string): string => `${count(n)} ${n === 1 ? one : `${one}s`}`;
  return {
    label: 'Who speaks when',
    empty: {
      heading: 'Drop a recording here',
      lead: 'See who speaks when. Nothing leaves this machine.',
      choose: 'Choose a file',
      formats: 'Audio or video: WAV, MP3, M4A, FLAC, OGG, MP4, WebM',
      release: 'Drop to analyze',
    },
    steps: {
      fetching: 'Fetching the recording',
      waiting: 'Waiting for another recording on this page',
      loading: 'Loading models',
      decode: 'Reading audio',
      segmentation: 'Finding speech',
      fbank: 'Computing features',
      embedding: 'Computing embeddings',
      clustering: 'Clustering speakers',
    },
    downloading: (received, total) => `Downloading the model: ${bytes(received)} of ${bytes(total)}`,
    converting: (done, total) => `Converting the model, once: ${bytes(done)} of ${bytes(total)}`,
    otherTab: 'Waiting for another tab that is downloading or converting the model',
    progress: 'Progress',
    left: (seconds) => (seconds < 1 ? 'under 1 s left' : `${span(Math.ceil(seconds))} left`),
    cancel: 'Cancel',
    done: {
      summary: (speakers, turns, seconds) => [plural(speakers, 'speaker'), plural(turns, 'turn'), clock(seconds)].join(' · '),
      again: 'Another recording',
      play: 'Play',
      pause: 'Pause',
      position: 'Position in the recording',
      at: (seconds, speakers) => `${clock(seconds, 1)}, ${speakers}`,
      silence: 'no one is speaking',
      playback: {
        absent: 'Without its recording, the result cannot be played.',
        unplayable: 'This recording cannot be played here. Its turns are still shown.',
        'no-output': 'No audio output device was found. Connect one and press Play.',
        stopped: 'Playback stopped. Check the audio output device, then press Play to try again.',
      },
      wave: {
        reading: 'Reading the waveform …',
        undecodable: 'No waveform: this browser decodes this file only as a whole.',
        incomplete: 'Part of the waveform is missing: the rest of the file could not be read.',
      },
      speakers: 'Speakers',
      speaker: (index) => `Speaker ${index + 1}`,
      nameOf: (name) => `Name of ${name}`,
      share: (seconds, share) => `${clock(seconds, seconds < 600 ? 1 : 0)} · ${percent(share)}`,
      tracks: 'Timeline of speakers',
      table: { label: 'Turns', start: 'Start', end: 'End', length: 'Length', speaker: 'Speaker' },
      noSpeech: 'No speech found',
      noSpeechHint: 'The whole recording was analyzed, and no speech was detected.',
      notes: 'About this file',
    },
    exporting: {
      button: 'Export',
      heading: 'Download as',
      what: {
        rttm: 'NIST, pyannote, Kaldi',
        json: 'everything',
        srt: 'subtitles',
        vtt: 'subtitles with voices',
        csv: 'spreadsheets',
        audacity: 'labels',
        textgrid: 'Praat',
        eaf: 'annotation file',
      },
      saved: (file) => `${file} was saved.`,
      failed: 'The file could not be created. Reload the page and try again.',
    },
    failed: {
      heading: (name) => `${name} could not be analyzed`,
      setting: 'A setting of this widget is invalid',
      problem: 'What was wrong',
      expected: 'What was expected',
      remedy: 'What you can do',
      retry: 'Try again',
      choose: 'Choose another file',
      back: 'Back to the last result',
      original: 'The full message in English',
      details: 'Technical details',
      code: (code) => `Code: ${code}`,
    },
    announce: {
      started: (name) => `Analyzing ${name}.`,
      done: (speakers, turns) => (turns === 0 ? 'Done. No speech found.' : `Done. ${plural(speakers, 'speaker')}, ${plural(turns, 'turn')}.`),
      cancelled: 'Canceled.',
      renamed: (from, to) => `${from} is now called ${to}.`,
    },
    recording: 'Recording',
    language: 'en',
    engineLanguage: null,
    formats,
  };
}

function german(): WidgetWords {
  const formats = formatsIn('de');
  const { bytes, clock, count, percent, span } = formats;
  const turnsOf = (n: number): string => `${count(n)} ${n === 1 ? 'Beitrag' : 'Beiträge'}`;
  return {
    label: 'Wer wann spricht',
    empty: {
      heading: 'Aufnahme hier ablegen',
      lead: 'Sehen, wer wann spricht. Nichts verlässt dieses Gerät.',
      choose: 'Datei auswählen',
      formats: 'Ton oder Video: WAV, MP3, M4A, FLAC, OGG, MP4, WebM',
      release: 'Loslassen, um sie zu analysieren',
    },
    steps: {
      fetching: 'Aufnahme wird geholt',
      waiting: 'Wartet auf eine andere Aufnahme dieser Seite',
      loading: 'Modelle werden geladen',
      decode: 'Ton lesen',
      segmentation: 'Sprache finden',
      fbank: 'Stimmmerkmale',
      embedding: 'Embeddings',
      clustering: 'Stimmgruppen',
    },
    downloading: (received, total) => `Modell wird heruntergeladen: ${bytes(received)} von ${bytes(total)}`,
    converting: (done, total) => `Modell wird umgewandelt, einmalig: ${bytes(done)} von ${bytes(total)}`,
    otherTab: 'Ein anderer Tab lädt das Modell herunter oder wandelt es um. Dieser Tab wartet darauf',
    progress: 'Fortschritt',
    left: (seconds) => (seconds < 1 ? 'unter 1 s übrig' : `noch ${span(Math.ceil(seconds))}`),
    cancel: 'Abbrechen',
    done: {
      summary: (speakers, turns, seconds) => [`${count(speakers)} Sprecher`, turnsOf(turns), clock(seconds)].join(' · '),
      again: 'Andere Aufnahme',
      play: 'Abspielen',
      pause: 'Anhalten',
      position: 'Stelle in der Aufnahme',
      at: (seconds, speakers) => `${clock(seconds, 1)}, ${speakers}`,
      silence: 'niemand spricht',
      playback: {
        absent: 'Ohne seine Aufnahme kann das Ergebnis nicht abgespielt werden.',
        unplayable: 'Diese Aufnahme kann hier nicht abgespielt werden. Ihre Beiträge werden trotzdem gezeigt.',
        'no-output': 'Es wurde kein Audioausgabegerät gefunden. Schließen Sie eines an, und drücken Sie auf „Abspielen“.',
        stopped: 'Die Wiedergabe wurde unterbrochen. Prüfen Sie das Audioausgabegerät, und drücken Sie dann auf „Abspielen“.',
      },
      wave: {
        reading: 'Wellenform wird gelesen …',
        undecodable: 'Keine Wellenform: Dieser Browser dekodiert diese Datei nur als Ganzes.',
        incomplete: 'Ein Teil der Wellenform fehlt: Der Rest der Datei ist nicht lesbar.',
      },
      speakers: 'Wer spricht',
      speaker: (index) => `Sprecher ${index + 1}`,
      nameOf: (name) => `Name von ${name}`,
      share: (seconds, share) => `${clock(seconds, seconds < 600 ? 1 : 0)} · ${percent(share)}`,
      tracks: 'Zeitleiste der Sprecher',
      table: { label: 'Redebeiträge', start: 'Beginn', end: 'Ende', length: 'Länge', speaker: 'Sprecher' },
      noSpeech: 'Keine Sprache gefunden',
      noSpeechHint: 'Die ganze Aufnahme wurde analysiert; keine Stelle wurde als Stimme erkannt.',
      notes: 'Zu dieser Datei',
    },
    exporting: {
      button: 'Exportieren',
      heading: 'Herunterladen als',
      what: {
        rttm: 'für NIST, pyannote, Kaldi',
        json: 'alles',
        srt: 'Untertitel',
        vtt: 'Untertitel mit Stimmen',
        csv: 'Tabellenprogramme',
        audacity: 'Textmarken',
        textgrid: 'für Praat',
        eaf: 'Annotationsdatei',
      },
      saved: (file) => `${file} wurde gespeichert.`,
      failed: 'Die Datei konnte nicht erzeugt werden. Laden Sie die Seite neu, und versuchen Sie es noch einmal.',
    },
    failed: {
      heading: (name) => `${name} konnte nicht analysiert werden`,
      setting: 'Eine Einstellung dieses Elements ist nicht verwendbar',
      problem: 'Was nicht stimmte',
      expected: 'Was erwartet wurde',
      remedy: 'Was Sie tun können',
      retry: 'Erneut versuchen',
      choose: 'Andere Datei auswählen',
      back: 'Zurück zum letzten Ergebnis',
      original: 'Die vollständige Meldung, auf Englisch',
      details: 'Technische Einzelheiten',
      code: (code) => `Kennung: ${code}`,
    },
    announce: {
      started: (name) => `${name}: begonnen.`,
      done: (speakers, turns) => (turns === 0 ? 'Fertig. Keine Sprache gefunden.' : `Fertig. ${count(speakers)} Sprecher, ${turnsOf(turns)}.`),
      cancelled: 'Abgebrochen.',
      renamed: (from, to) => `${from} heißt jetzt ${to}.`,
    },
    recording: 'Aufnahme',
    language: 'de',
    engineLanguage: 'en',
    formats,
  };
}

const MAKERS: Readonly<Record<Language, () => WidgetWords>> = { en: english, de: german };
const made = new Map<Language, WidgetWords>();

/** The texts of a language, created on first use. */
export function wordsIn(language: Language): WidgetWords {
  const words = made.get(language) ?? MAKERS[language]();
  made.set(language, words);
  return words;
}

/**
 * The language of an element: the `lang` of the element or its nearest ancestor, across shadow roots; otherwise that of
 * the browser. English for unsupported languages.
 */
export function languageOf(element: Element): Language {
  for (let at: Element | null = element; at; at = parentOf(at)) {
    const tag = at.getAttribute('lang');
    if (tag) return knownLanguage(tag) ?? 'en';
  }
  return navigator.languages.map(knownLanguage).find((language) => language !== undefined) ?? 'en';
}

function parentOf(element: Element): Element | null {
  if (element.parentElement) return element.parentElement;
  const root = element.getRootNode();
  return root instanceof ShadowRoot ? root.host : null;
}

function knownLanguage(tag: string): Language | undefined {
  const primary = tag.toLowerCase().split('-')[0];
  return LANGUAGES.find((language) => language === primary);
}
