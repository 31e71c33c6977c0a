import { createMenu } from '../../ui-kit/controls';
import { h, icon, setText } from '../../ui-kit/dom';
import { download } from '../../ui-kit/files';
import { Player } from '../../ui-kit/player';
import type { Turn } from '../../timeline/turns';
import { fillTracks, labelNumber, type Track } from '../../ui-kit/tracks/model';
import { createTurnTable } from '../../ui-kit/turnTable';
import { VoxlaneError } from '../../util/errors';
import { loadPart } from '../../util/fetch';
import type { SpeakerNames, WidgetExport } from '../exports';
import type { Outcome } from '../state/phase';
import type { WidgetWords } from '../words';
import { createSpeakers } from './speakers';
import { createTimeline } from './timeline';
import { recordingButton, type DoneView, type WidgetContext } from './views';
import { readWaveform } from './waveform';

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
function notesOf({ notes = [] }: Outcome['result'], words: WidgetWords): HTMLElement | null {
  if (notes.length === 0) return null;
  const items = notes.map(({ code, text }) => h('li', { 'data-code': code, lang: words.engineLanguage }, text));
  return h('ul', { class: 'fine notes', part: 'notes', 'aria-label': words.done.notes }, ...items);
}

/** Media elements report their position four times per second or more. */
const TIMEUPDATE_SECONDS = 0.2;

/** The view of a result: player, waveform, speaker names, turns and export. It updates the memory of the outcome. */
export function doneView(context: WidgetContext, outcome: Outcome): DoneView {
  const { scope, words, actions, announce } = context;
  const { result, sound, memory } = outcome;
  const { turns, durationSeconds } = result;
  // Labels of a file are usually names; those of a run are numbers.
  const nameOf = (label: string, index: number): string =>
    memory.names.get(label) ?? (labelNumber(label) === null ? label : words.done.speaker(index));
  const tracksNow = (): Track[] =>
    fillTracks(
      result.speakers.map(({ label }, index) => ({ label, name: nameOf(label, index), color: index })),
      turns,
    );
  const speakerNames = (): SpeakerNames => ({ given: memory.names, shown: new Map(tracksNow().map(({ label, name }) => [label, name])) });

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

  const player = new Player(scope, sound, durationSeconds);
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
  const showNames = (): Track[] => {
    const renamed = tracksNow();
    timeline.setTracks(renamed);
    table.setTurns(turns, renamed);
    return renamed;
  };
  const speakers = createSpeakers(context, tracks, (track, given) => {
    // The field was cleared, but there was no name to remove.
    if (!given && !memory.names.has(track.label)) return track;
    const names = new Map(memory.names);
    if (given) names.set(track.label, given);
    else names.delete(track.label);
    memory.names = names;
    const next = showNames().find(({ label }) => label === track.label) ?? track;
    announce(words.announce.renamed(track.name, next.name));
    actions.renamed({ speaker: track.label, name: given || null });
    return next;
  });
  const choose = (turn: Turn): void => {
    if (actions.turnClicked(turn)) player.playFrom(turn.startSeconds);
  };
  const timeline = createTimeline(context, {
    durationSeconds,
    hasWave: sound !== null,
    speakers: speakers.element,
    onSeek: (seconds) => {
      player.seek(seconds);
    },
    onPlay: choose,
    onToggle: () => {
      player.toggle();
    },
  });
  const table = createTurnTable(scope, {
    words: { ...words.done.table, corrected: '' },
    formats: words.formats,
    rowPart: 'turn',
    onPlay: choose,
    onSelect: () => undefined,
  });
  table.element.setAttribute('part', 'turns');

  let wasPlaying: boolean | null = null;
  let reportedSeconds = memory.positionSeconds;
  /** Reports less often than once per frame, but each seek, start, pause and end. */
  const reportPosition = (position: number, isPlaying: boolean): void => {
    const isContinuing = isPlaying && wasPlaying === true;
    const isDue = isContinuing
      ? Math.abs(position - reportedSeconds) >= TIMEUPDATE_SECONDS
      : position !== reportedSeconds || (wasPlaying ?? false) !== isPlaying;
    if (!isDue) return;
    reportedSeconds = position;
    actions.timeUpdated();
  };
  const refresh = (): void => {
    const { position, playing, playable, problem } = player;
    memory.positionSeconds = position;
    setText(now, words.formats.clock(position, 1));
    timeline.setPosition(position, playing);
    table.setPosition(position, playing);
    speakers.setSpeaking(timeline.speakingAt(position));
    play.disabled = !playable;
    trouble.hidden = problem === null;
    setText(trouble, problem ? words.done.playback[outcome.hasRecording ? problem : 'absent'] : '');
    reportPosition(position, playing);
    if (wasPlaying === playing) return;
    wasPlaying = playing;
    play.replaceChildren(icon(playing ? 'pause' : 'play'));
    play.setAttribute('aria-label', playing ? words.done.pause : words.done.play);
  };
  timeline.setTracks(tracks);
  table.setTurns(turns, tracks);
  if (memory.positionSeconds > 0) player.seek(memory.positionSeconds);
  player.onChange = refresh;
  refresh();
  if (sound && turns.length > 0) readWaveform(scope, { sound, track: outcome.track, memory, timeline, words });
  actions.shown({
    get positionSeconds() {
      return player.position;
    },
    get isPlaying() {
      return player.playing;
    },
    play: () => player.play(),
    pause() {
      player.pause();
    },
    seek(seconds) {
      player.seek(seconds);
    },
  });
  scope.add(() => {
    actions.shown(null);
  });

  const element = h(
    'div',
    { class: 'view done' },
    header,
    controls,
    notesOf(result, words),
    ...(turns.length === 0 ? [h('p', { class: 'fine' }, words.done.noSpeechHint)] : [timeline.element, table.element]),
  );
  return {
    element,
    heading,
    showNames() {
      speakers.setNames(showNames());
    },
  };
}
