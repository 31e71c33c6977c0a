import type { PeakPyramid } from '../../audio/peaks';
import type { Turn } from '../../timeline/turns';
import { fitCanvas, h, isTouch, onResize, setText } from '../../ui-kit/dom';
import { secondsAt, trackAt, tracksTop, trackMetrics, wholeGeometry, xOf, type Geometry } from '../../ui-kit/tracks/geometry';
import { turnAt, type Track } from '../../ui-kit/tracks/model';
import { paintBase } from '../../ui-kit/tracks/painter';
import { readPaints, type Paints } from '../../ui-kit/tracks/palette';
import type { WidgetContext } from './views';

/** Below this width in CSS pixels, the speaker labels are inside their tracks. `result.css` uses the same number. */
const NARROW_PIXELS = 560;
/** Height of the waveform, above the tracks. */
const WAVE_PIXELS = 48;
const STEP_SECONDS = 5;
/** Tolerance in pixels for pointing at very short turns. */
const SLACK_PIXELS = 3;

export interface Timeline {
  readonly element: HTMLElement;
  readonly setTracks: (tracks: readonly Track[]) => void;
  readonly setPosition: (seconds: number, playing: boolean) => void;
  /** Draws the available part of the waveform. Call it again with the same pyramid when it has grown. */
  readonly setPeaks: (peaks: PeakPyramid) => void;
  /** A message in place of the waveform; null for none. */
  readonly setWaveNote: (note: string | null) => void;
  /** Tracks of the speakers at a time. */
  readonly speakingAt: (seconds: number) => readonly Track[];
}

interface TimelineOptions {
  readonly durationSeconds: number;
  /** Whether there is space for a waveform, so that nothing moves when it has been read. */
  readonly hasWave: boolean;
  /** The list of speakers, one row for each track. */
  readonly speakers: HTMLElement;
  readonly onSeek: (seconds: number) => void;
  readonly onPlay: (turn: Turn) => void;
  readonly onToggle: () => void;
}

/** One track per speaker over the whole recording, with a playhead. Uses the painter of the page's tracks. */
export function createTimeline({ scope, words, onColors }: WidgetContext, options: TimelineOptions): Timeline {
  // A length of 0 would cause divisions by zero.
  const durationSeconds = Math.max(options.durationSeconds, 0.001);
  const canvas = h('canvas', {});
  const head = h('div', { class: 'playhead', part: 'playhead' });
  const waveNote = h('p', { class: 'timeline__note', hidden: true });
  const stage = h(
    'div',
    {
      class: 'timeline__stage',
      role: 'slider',
      tabindex: 0,
      'aria-label': words.done.position,
      'aria-valuemin': 0,
      'aria-valuemax': Math.round(durationSeconds),
    },
    canvas,
    waveNote,
    head,
  );
  const probe = h('span', { class: 'probe', hidden: true });
  const element = h('div', { class: 'timeline', part: 'tracks', role: 'group', 'aria-label': words.done.tracks }, options.speakers, stage, probe);

  let tracks: readonly Track[] = [];
  let peaks: PeakPyramid | null = null;
  let paints: Paints | null = null;
  let width = 0;
  let isNarrow = false;
  let position = 0;
  let frame = 0;
  scope.add(() => {
    cancelAnimationFrame(frame);
    // A canvas without a size releases its memory at once, before garbage collection.
    canvas.width = 0;
    canvas.height = 0;
  });

  // On touch screens, the label is the field for the name.
  const geometry = (): Geometry =>
    wholeGeometry(trackMetrics(isNarrow, isTouch()), { width, numTracks: tracks.length, durationSeconds, waveHeight: options.hasWave ? WAVE_PIXELS : 0 });
  const placeHead = (): void => {
    head.style.transform = `translateX(${xOf(geometry(), position)}px)`;
  };
  const paint = (): void => {
    frame = 0;
    const context = canvas.getContext('2d');
    if (width === 0 || !context) return;
    paints ??= readPaints(probe);
    const now = geometry();
    fitCanvas(context, now);
    paintBase(context, now, { tracks, marks: [], peaks, isProvisional: false, hidden: null }, paints);
    placeHead();
  };
  const repaint = (): void => {
    if (frame === 0) frame = requestAnimationFrame(paint);
  };
  const layOut = (): void => {
    isNarrow = element.clientWidth < NARROW_PIXELS;
    element.classList.toggle('is-narrow', isNarrow);
    const now = geometry();
    const { height, trackHeight, labelHeight } = now;
    element.style.setProperty('--vx-track-height', `${trackHeight}px`);
    element.style.setProperty('--vx-label-height', `${labelHeight}px`);
    element.style.setProperty('--vx-tracks-top', `${tracksTop(now)}px`);
    element.style.setProperty('--vx-axis-height', `${now.axisHeight}px`);
    stage.style.height = `${height}px`;
    // Color changes are not reported while the element is hidden.
    if (width === 0) paints = null;
    width = stage.clientWidth;
    repaint();
  };
  onResize(scope, element, layOut);
  onColors(scope, () => {
    paints = null;
    layOut();
  });
  // A change of pixel density changes no CSS size, but it fires a resize event of the window.
  scope.on(window, 'resize', layOut);

  const hit = (event: MouseEvent): { readonly seconds: number; readonly turn: Turn | null } => {
    const now = geometry();
    const box = stage.getBoundingClientRect();
    const seconds = Math.min(Math.max(0, secondsAt(now, event.clientX - box.left)), durationSeconds);
    const track = tracks[trackAt(now, event.clientY - box.top) ?? -1];
    return { seconds, turn: track ? turnAt(track.turns, seconds, SLACK_PIXELS * now.secondsPerPixel) : null };
  };
  scope.on(stage, 'click', (event) => {
    const { seconds, turn } = hit(event);
    if (turn) options.onPlay(turn);
    else options.onSeek(seconds);
  });
  scope.on(stage, 'pointermove', (event) => {
    stage.classList.toggle('is-over-turn', hit(event).turn !== null);
  });
  scope.on(stage, 'keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const moves: Readonly<Record<string, number>> = {
      ArrowLeft: position - STEP_SECONDS,
      ArrowDown: position - STEP_SECONDS,
      ArrowRight: position + STEP_SECONDS,
      ArrowUp: position + STEP_SECONDS,
      Home: 0,
      End: durationSeconds,
    };
    const next = moves[event.key];
    if (next !== undefined) options.onSeek(next);
    else if (event.key === ' ') options.onToggle();
    else return;
    event.preventDefault();
  });

  const speakingAt = (seconds: number): readonly Track[] => tracks.filter(({ turns }) => turnAt(turns, seconds) !== null);
  return {
    element,
    speakingAt,
    setTracks(next) {
      tracks = next;
      layOut();
    },
    setPeaks(next) {
      peaks = next;
      repaint();
    },
    setWaveNote(note) {
      waveNote.hidden = note === null;
      setText(waveNote, note ?? '');
    },
    setPosition(seconds, playing) {
      position = seconds;
      placeHead();
      // A screen reader would announce a slider value that changes every frame without a pause.
      if (playing) return;
      const names = speakingAt(seconds).map(({ name }) => name);
      stage.setAttribute('aria-valuenow', String(Math.round(seconds)));
      stage.setAttribute('aria-valuetext', words.done.at(seconds, names.join(', ') || words.done.silence));
    },
  };
}
