import type { AudioTrack, DiarizationResult, RecordingNote } from '../../engine/types';
import { h } from '../../ui-kit/dom';
import { clock, count, decimal } from '../../ui-kit/format';
import type { Scope } from '../../ui-kit/scope';
import { inLanguage } from '../../ui-kit/texts/language';

type NoteWords = Readonly<Record<RecordingNote['code'], (at: string | null, amount: number | null) => string>>;

const en: NoteWords = {
  joined: (_, amount) => `The file contains ${count(amount ?? 2)} consecutive recordings. All of them were read.`,
  'bytes-skipped': (at, amount) => `${count(amount ?? 0)} bytes at ${at ?? '0:00'} are not audio data. They were skipped.`,
  'data-missing': (at, amount) => `${decimal(amount ?? 0, 1)} s of audio are missing from the file at ${at ?? '0:00'} and were replaced with silence.`,
  'cut-off': (at, amount) =>
    amount === null
      ? `The file breaks off at ${at ?? '0:00'} without an end marker. The audio up to that point was read.`
      : `The file breaks off at ${at ?? '0:00'}, but its header specifies ${clock(amount, 1)}. The audio up to that point was read.`,
  'size-ignored': () => 'The size in the header is a placeholder or wrong. The audio was read to the end of the file.',
  'several-tracks': (_, amount) => `The file has ${count(amount ?? 2)} audio tracks. One of them was read.`,
  'channels-cancel': (at) => `From ${at ?? '0:00'}, the channels cancel each other out when mixed, because one is inverted. A single channel was read instead.`,
  'browser-decoder': () => 'Only the browser’s own decoder can read this file. It does not report missing or damaged data.',
  'ffmpeg-decoder': () => 'Only ffmpeg can read this file. It does not report missing or damaged data.',
};

const de: NoteWords = {
  joined: (_, amount) => `Die Datei enthält ${count(amount ?? 2)} Aufnahmen hintereinander. Alle wurden gelesen.`,
  'bytes-skipped': (at, amount) => `${count(amount ?? 0)} Bytes bei ${at ?? '0:00'} gehören nicht zum Ton. Sie wurden übersprungen.`,
  'data-missing': (at, amount) => `Bei ${at ?? '0:00'} fehlen in der Datei ${decimal(amount ?? 0, 1)} s Ton. Dort steht Stille.`,
  'cut-off': (at, amount) =>
    amount === null
      ? `Die Datei bricht bei ${at ?? '0:00'} ohne Endmarke ab. Der Ton bis dort wurde gelesen.`
      : `Die Datei bricht bei ${at ?? '0:00'} ab, obwohl ihr Kopf ${clock(amount, 1)} angibt. Der Ton bis dort wurde gelesen.`,
  'size-ignored': () => 'Die Größe im Kopf der Datei ist ein Platzhalter oder falsch. Der Ton wurde bis zum Ende der Datei gelesen.',
  'several-tracks': (_, amount) => `Die Datei hat ${count(amount ?? 2)} Tonspuren. Eine davon wurde gelesen.`,
  'channels-cancel': (at) => `Ab ${at ?? '0:00'} löschen sich die Kanäle beim Mischen aus, weil einer invertiert ist. Stattdessen wurde ein Kanal gelesen.`,
  'browser-decoder': () => 'Nur der Decoder des Browsers liest diese Datei. Er meldet fehlende oder beschädigte Daten nicht.',
  'ffmpeg-decoder': () => 'Nur ffmpeg liest diese Datei. Es meldet fehlende oder beschädigte Daten nicht.',
};

const channels = (one: string, two: string, many: string) => (n: number): string => (n === 1 ? one : n === 2 ? two : `${n} ${many}`);
const inEnglish = channels('mono', 'stereo', 'channels');
const inGerman = channels('Mono', 'Stereo', 'Kanäle');

const trackName = (named: (n: number) => string) => ({ number, name, language, codec, channels: n }: AudioTrack): string =>
  [`${number}`, name, language, codec, named(n)].filter(Boolean).join(' · ');

/** Texts about how a recording was read. */
const recordingText = inLanguage(
  {
    heading: 'About this file',
    notes: en,
    track: 'Audio track',
    trackName: trackName(inEnglish),
    read: 'Analyze this track',
  },
  {
    de: {
      heading: 'Zu dieser Datei',
      notes: de,
      track: 'Tonspur',
      trackName: trackName(inGerman),
      read: 'Diese Spur analysieren',
    },
  },
);

/**
 * Notes about what was repaired, skipped or left out while reading a recording, and a choice of its audio track. Null if there is
 * neither.
 *
 * @param onTrack called with the number of the chosen track; null without the recording
 */
export function createFileNotes(
  scope: Scope,
  { notes, tracks }: Pick<DiarizationResult, 'notes' | 'tracks'>,
  onTrack: ((track: number) => void) | null,
): HTMLElement | null {
  const choice = onTrack && tracks.length > 1 ? trackChoice(scope, tracks, onTrack) : null;
  if (notes.length === 0 && !choice) return null;
  return h(
    'section',
    { class: 'file-notes', 'aria-label': recordingText.heading, 'data-testid': 'file-notes' },
    notes.length > 0 &&
      h(
        'ul',
        {},
        ...notes.map(({ code, atSeconds, amount }) =>
          h('li', { 'data-code': code }, recordingText.notes[code](atSeconds === null ? null : clock(atSeconds, 1), amount)),
        ),
      ),
    choice,
  );
}

/** A button starts the run, because arrow keys change a select immediately. */
function trackChoice(scope: Scope, tracks: DiarizationResult['tracks'], onTrack: (track: number) => void): HTMLElement {
  const read = tracks.find(({ isRead }) => isRead)?.number;
  const select = h(
    'select',
    { class: 'field', 'data-testid': 'track' },
    ...tracks.map((track) => h('option', { value: track.number, selected: track.isRead }, recordingText.trackName(track))),
  );
  const button = h('button', { type: 'button', class: 'button', 'data-testid': 'read-track', disabled: true }, recordingText.read);
  scope.on(select, 'change', () => {
    button.disabled = Number(select.value) === read;
  });
  scope.on(button, 'click', () => {
    onTrack(Number(select.value));
  });
  return h('div', { class: 'file-notes__track' }, h('label', {}, `${recordingText.track} `, select), button);
}
