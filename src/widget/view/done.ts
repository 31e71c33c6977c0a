import { h, icon, setText } from '../../ui/dom';
import { fillLanes, type Lane } from '../../ui/lanes/model';
import { Player } from '../../ui/player';
import { createTurnTable } from '../../ui/turnTable';
import type { SpeakerNames } from '../exports';
import type { Outcome } from '../state/phase';
import { recordingButton } from './button';
import type { WidgetContext, WidgetView } from './context';
import { createExportMenu } from './exportMenu';
import { createSpeakers } from './speakers';
import { createTimeline } from './timeline';
import type { WidgetWords } from '../words';

/** What was repaired, skipped or left out while the recording was read; null if nothing was. */
function notesOf({ notes }: Outcome['result'], words: WidgetWords): HTMLElement | null {
  if (notes.length === 0) return null;
  const items = notes.map(({ code, text }) => h('li', { 'data-code': code, lang: words.engineLanguage }, text));
  return h('ul', { class: 'fine notes', part: 'notes', 'aria-label': words.done.notes }, ...items);
}

/**
 * A result: to hear, to name, to read, to take home.
 *
 * @param names that a person gave to speakers, by label; written to
 */
export function doneView(context: WidgetContext, outcome: Outcome, names: Map<string, string>): WidgetView {
  const { scope, words, actions, announce } = context;
  const { result, sound } = outcome;
  const { turns, durationSeconds } = result;
  const nameOf = (label: string, index: number): string => names.get(label) ?? words.done.speaker(index);
  const lanesNow = (): Lane[] =>
    fillLanes(
      result.speakers.map(({ label }, index) => ({ label, name: nameOf(label, index), colour: index })),
      turns,
    );
  const speakerNames = (): SpeakerNames => ({ given: names, shown: new Map(lanesNow().map(({ label, name }) => [label, name])) });

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

  // Without sound it is a file that cannot be played: the playhead moves all the same.
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

  const lanes = lanesNow();
  const speakers = createSpeakers(context, lanes, (lane, given) => {
    // Emptied, but it had no name.
    if (!given && !names.has(lane.label)) return lane;
    if (given) names.set(lane.label, given);
    else names.delete(lane.label);
    const renamed = lanesNow();
    const next = renamed.find(({ label }) => label === lane.label) ?? lane;
    timeline.setLanes(renamed);
    table.setTurns(turns, renamed);
    announce(words.announce.renamed(lane.name, next.name));
    actions.renamed({ speaker: lane.label, name: given || null });
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
  timeline.setLanes(lanes);
  table.setTurns(turns, lanes);
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
