import { createMenu } from '../../ui-kit/controls';
import { h, icon, setText } from '../../ui-kit/dom';
import { download } from '../../ui-kit/files';
import { Player } from '../../ui-kit/player';
import { fillTracks, type Track } from '../../ui-kit/tracks/model';
import { swatch } from '../../ui-kit/tracks/palette';
import { createTurnTable } from '../../ui-kit/turnTable';
import { VoxlaneError } from '../../util/errors';
import { loadPart } from '../../util/fetch';
import type { SpeakerNames, WidgetExport } from '../exports';
import type { Outcome } from '../state/phase';
import type { WidgetWords } from '../words';
import { createTimeline } from './timeline';
import { recordingButton, type WidgetContext, type WidgetView } from './views';

interface SpeakerList {
  readonly element: HTMLElement;
  readonly setSpeaking: (tracks: readonly Track[]) => void;
}

/** A speaker's row: color, editable name, speaking time and share. */
interface SpeakerRow {
  readonly track: Track;
  readonly element: HTMLElement;
}

/**
 * The list of speakers, one row beside each track.
 *
 * @param onName called when the user sets a name; an empty name removes it
 */
function createSpeakers({ scope, words }: WidgetContext, tracks: readonly Track[], onName: (track: Track, name: string) => Track): SpeakerList {
  const rows = tracks.map((track): SpeakerRow => {
    let current = track;
    const label = h('span', { class: 'visually-hidden' });
    const field = h('input', { type: 'text', class: 'speaker__name', part: 'speaker-name', maxlength: 80, spellcheck: 'false', autocomplete: 'off' });
    const show = (): void => {
      field.value = current.name;
      setText(label, words.done.nameOf(current.name));
    };
    show();
    const commit = (): void => {
      const name = field.value.trim();
      if (name !== current.name) current = onName(current, name);
      show();
    };
    scope.on(field, 'change', commit);
    scope.on(field, 'keydown', (event) => {
      // The key that ends the composition of a character belongs to the input method.
      if (event.isComposing) return;
      if (event.key === 'Enter') commit();
      // With nothing to revert, Escape belongs to the page, where it may close a dialog.
      else if (event.key === 'Escape' && field.value !== current.name) show();
      else return;
      event.preventDefault();
      field.select();
    });
    return {
      track,
      element: h(
        'li',
        { class: 'speaker', part: 'speaker' },
        swatch(track.color),
        h('label', { class: 'speaker__label' }, label, field),
        h('span', { class: 'speaker__share' }, words.done.share(track.seconds, track.share)),
      ),
    };
  });
  const element = h('ul', { class: 'speakers', part: 'speakers', 'aria-label': words.done.speakers }, ...rows.map((row) => row.element));
  return {
    element,
    setSpeaking(speaking) {
      const labels = speaking.map((track) => track.label);
      for (const row of rows) row.element.classList.toggle('is-speaking', labels.includes(row.track.label));
    },
  };
}

const NAMES: Readonly<Record<WidgetExport, string>> = {
  rttm: 'RTTM',
  json: 'JSON',
  srt: 'SRT',
  vtt: 'WebVTT',
  csv: 'CSV',
  audacity: 'Audacity',
  textgrid: 'TextGrid',
  eaf: 'ELAN',
};

/** Export menu with one button per format. The exporters are loaded on the first export. */
function createExportMenu({ scope, words, announce }: WidgetContext, outcome: Outcome, names: () => SpeakerNames): HTMLElement {
  const { exporting } = words;
  const problem = h('p', { class: 'fine', role: 'alert', hidden: true });
  const save = async (format: WidgetExport): Promise<void> => {
    problem.hidden = true;
    try {
      const { exportFile } = await loadPart(() => import('../exports'));
      const file = exportFile(format, outcome, names(), new Date());
      download(file.name, file.type, file.content);
      announce(exporting.saved(file.name));
    } catch (thrown) {
      // `loadPart` and the exporters throw `VoxlaneError`; any other error is a bug.
      if (!(thrown instanceof VoxlaneError)) console.error(thrown);
      setText(problem, thrown instanceof VoxlaneError ? thrown.message : exporting.failed);
      problem.hidden = false;
      menu.open();
    }
  };
  const buttons = (Object.keys(NAMES) as WidgetExport[]).map((format) => {
    const button = h(
      'button',
      { type: 'button', class: 'exports__format', 'data-testid': `download-${format}` },
      h('span', {}, NAMES[format]),
      h('span', { class: 'exports__what' }, exporting.what[format]),
    );
    scope.on(button, 'click', () => {
      menu.close();
      void save(format);
    });
    return button;
  });
  const content = h('div', { class: 'exports', part: 'menu' }, h('p', { class: 'legend' }, exporting.heading), ...buttons, problem);
  const menu = createMenu(scope, [icon('download'), exporting.button], content, 'export');
  menu.element.querySelector('summary')?.setAttribute('part', 'button');
  return menu.element;
}

/** Notes about audio that was repaired, skipped or omitted; null if there are none. */
function notesOf({ notes }: Outcome['result'], words: WidgetWords): HTMLElement | null {
  if (notes.length === 0) return null;
  const items = notes.map(({ code, text }) => h('li', { 'data-code': code, lang: words.engineLanguage }, text));
  return h('ul', { class: 'fine notes', part: 'notes', 'aria-label': words.done.notes }, ...items);
}

/**
 * The view of a result: player, speaker names, turns and export.
 *
 * @param names names set by the user, by label; this view updates them
 */
export function doneView(context: WidgetContext, outcome: Outcome, names: Map<string, string>): WidgetView {
  const { scope, words, actions, announce } = context;
  const { result, sound } = outcome;
  const { turns, durationSeconds } = result;
  const nameOf = (label: string, index: number): string => names.get(label) ?? words.done.speaker(index);
  const tracksNow = (): Track[] =>
    fillTracks(
      result.speakers.map(({ label }, index) => ({ label, name: nameOf(label, index), color: index })),
      turns,
    );
  const speakerNames = (): SpeakerNames => ({ given: names, shown: new Map(tracksNow().map(({ label, name }) => [label, name])) });

  const heading = h('h2', { class: 'title', tabindex: -1 }, outcome.name);
  const header = h(
    'div',
    { class: 'head', part: 'header' },
    h(
      'div',
      { class: 'head__text' },
      heading,
      h('p', { class: 'step' }, turns.length === 0 ? words.done.noSpeech : words.done.summary(result.speakers.length, turns.length, durationSeconds)),
    ),
    h(
      'div',
      { class: 'button-row' },
      turns.length > 0 && createExportMenu(context, outcome, speakerNames),
      recordingButton(scope, words.done.again, actions.open, false),
    ),
  );

  // Without sound, an empty file stands in: it cannot be played, but the playhead still moves.
  const player = new Player(scope, sound ?? new Blob(), durationSeconds);
  const play = h('button', { type: 'button', class: 'play', part: 'play-button', 'aria-label': words.done.play }, icon('play'));
  const now = h('span', { class: 'clock__now' });
  const trouble = h('p', { class: 'fine', role: 'status', hidden: true });
  scope.on(play, 'click', () => {
    player.toggle();
  });
  const controls = h(
    'div',
    { class: 'player', part: 'player' },
    play,
    h('p', { class: 'clock' }, now, h('span', { class: 'fine' }, `/ ${words.formats.clock(durationSeconds)}`)),
    trouble,
  );

  const tracks = tracksNow();
  const speakers = createSpeakers(context, tracks, (track, given) => {
    // The field was cleared, but there was no name to remove.
    if (!given && !names.has(track.label)) return track;
    if (given) names.set(track.label, given);
    else names.delete(track.label);
    const renamed = tracksNow();
    const next = renamed.find(({ label }) => label === track.label) ?? track;
    timeline.setTracks(renamed);
    table.setTurns(turns, renamed);
    announce(words.announce.renamed(track.name, next.name));
    actions.renamed({ speaker: track.label, name: given || null });
    return next;
  });
  const timeline = createTimeline(context, {
    durationSeconds,
    speakers: speakers.element,
    onSeek: (seconds) => {
      player.seek(seconds);
    },
    onPlay: ({ startSeconds }) => {
      player.playFrom(startSeconds);
    },
    onToggle: () => {
      player.toggle();
    },
  });
  const table = createTurnTable(scope, {
    words: { ...words.done.table, corrected: '' },
    formats: words.formats,
    rowPart: 'turn',
    onPlay: ({ startSeconds }) => {
      player.playFrom(startSeconds);
    },
    onSelect: () => undefined,
  });
  table.element.setAttribute('part', 'turns');

  let wasPlaying: boolean | null = null;
  const refresh = (): void => {
    const { position, playing, playable, problem } = player;
    setText(now, words.formats.clock(position, 1));
    timeline.setPosition(position, playing);
    table.setPosition(position, playing);
    speakers.setSpeaking(timeline.speakingAt(position));
    play.disabled = !playable;
    trouble.hidden = problem === null;
    setText(trouble, problem ? words.done.playback[problem] : '');
    if (wasPlaying === playing) return;
    wasPlaying = playing;
    play.replaceChildren(icon(playing ? 'pause' : 'play'));
    play.setAttribute('aria-label', playing ? words.done.pause : words.done.play);
  };
  player.onChange = refresh;
  timeline.setTracks(tracks);
  table.setTurns(turns, tracks);
  refresh();

  const element = h(
    'div',
    { class: 'view done' },
    header,
    controls,
    notesOf(result, words),
    ...(turns.length === 0 ? [h('p', { class: 'fine' }, words.done.noSpeechHint)] : [timeline.element, table.element]),
  );
  return { element, heading };
}
