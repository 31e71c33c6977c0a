import type { PeakPyramid } from '../../audio/peaks';
import type { Turn } from '../../engine/types';
import { fitCanvas, h, onResize, setText } from '../dom';
import type { Scope } from '../scope';
import { text } from '../texts/text';
import { type Geometry, INSET, tracksTop, NARROW_PIXELS, visibleTracks, xOf } from './geometry';
import { createMinimap, waveText } from './minimap';
import { findTurn, type Track, type Mark, type PlacedTurn, placeTurn, turnAt } from './model';
import type { Segment } from '../../util/segment';
import { paintOverlay } from './overlay';
import { paintBase, type Scene } from './painter';
import { trackLabel, type Paints, readPaints } from './palette';
import { createGrips, createPointing, type TracksOptions } from './pointing';
import { createScroller } from './scroller';

interface Labels {
  readonly element: HTMLElement;
  readonly setTracks: (tracks: readonly Track[]) => void;
  /** Marks the current speakers at this time. */
  readonly setPosition: (seconds: number) => void;
  /** Positions the labels beside the visible tracks. */
  readonly place: (geometry: Geometry) => void;
}

/** Extra labels above and below the visible ones, so that a short scroll creates none. */
const MARGIN = 10;

/** The names beside the tracks. If the tracks scroll, only the labels near the visible tracks are in the DOM. */
function createLabels(): Labels {
  const above = h('li', { 'aria-hidden': 'true' });
  const below = h('li', { 'aria-hidden': 'true' });
  const element = h('ul', { class: 'tracks__labels' });
  let tracks: readonly Track[] = [];
  let items = new Map<number, HTMLElement>();
  /** The range of labels in the DOM; null if they are stale. */
  let made: { readonly from: number; readonly to: number } | null = null;
  let position = 0;

  const mark = (): void => {
    for (const [index, item] of items) {
      const track = tracks[index];
      item.classList.toggle('is-speaking', track !== undefined && turnAt(track.turns, position) !== null);
    }
  };
  const make = (from: number, to: number): void => {
    made = { from, to };
    items = new Map(
      tracks.slice(from, to).map((track, offset) => {
        const item = trackLabel(track);
        item.setAttribute('aria-setsize', String(tracks.length));
        item.setAttribute('aria-posinset', String(from + offset + 1));
        return [from + offset, item];
      }),
    );
    mark();
  };

  return {
    element,
    setTracks(next) {
      tracks = next;
      made = null;
    },
    setPosition(seconds) {
      position = seconds;
      mark();
    },
    place(geometry) {
      const { numTracks, trackHeight, tracksScrolled = 0 } = geometry;
      element.classList.toggle('tracks__labels--scrolled', numTracks !== undefined);
      if (numTracks === undefined) {
        element.style.height = '';
        if (made) return;
        make(0, tracks.length);
        element.replaceChildren(...items.values());
        return;
      }
      const { from, to } = visibleTracks(geometry);
      if (!made || from < made.from || to > made.to) {
        make(Math.max(0, from - MARGIN), Math.min(tracks.length, to + MARGIN));
        above.style.height = `${made!.from * trackHeight}px`;
        // The window of the tracks is taller by the axis: without this, the labels could not scroll as far.
        below.style.height = `${(tracks.length - made!.to) * trackHeight + tracksTop(geometry)}px`;
        element.replaceChildren(above, ...items.values(), below);
      }
      element.style.height = `${geometry.height}px`;
      element.scrollTop = tracksScrolled;
    },
  };
}

/** Position of the playhead after the window pages forward, as a fraction of its width. */
const PAGE_START = 0.1;
/** Maximum number of simultaneous speakers in the text for screen readers. */
const MAX_NAMES = 12;

export interface Tracks {
  readonly element: HTMLElement;
  readonly setTracks: (tracks: readonly Track[], look?: TracksLook) => void;
  /** Moves the playhead; during playback, the window pages forward with it. */
  readonly setPosition: (seconds: number, playing: boolean) => void;
  /** Multiplies the zoom; `0` shows the whole recording. */
  readonly zoom: (factor: number) => void;
  readonly speakingAt: (seconds: number) => readonly Track[];
  /** All tracks from top to bottom. */
  readonly order: () => readonly Track[];
  /** The element with the role `slider`, which receives its keys. */
  readonly slider: HTMLElement;
  /**
   * Outlines a turn and shows its grips; null removes them. An id that no track has takes effect when a track has it.
   *
   * @param turn the turn with this id. Default: found by a search through all tracks
   */
  readonly setSelected: (id: number | null, turn?: Turn | null) => void;
  /** Shades the looped segment. */
  readonly setLoop: (loop: Segment | null) => void;
  /** Hatches differences from a reference. */
  readonly setMarks: (marks: readonly Mark[]) => void;
  /** In this mode, dragging over an empty part of a track adds a turn without Shift; touch still scrolls elsewhere. */
  readonly setAdding: (adding: boolean) => void;
  /** Scrolls a segment and the selected turn's track into view, at the current zoom. */
  readonly reveal: (segment: Segment) => void;
  /** Draws the available part of the waveform. Call it again with the same pyramid when it has grown. */
  readonly setPeaks: (peaks: PeakPyramid | null) => void;
  /** A message in place of the waveform: that it is being read, or why there is none. */
  readonly setWaveNote: (note: string | null) => void;
}

export interface TracksLook {
  /** Dashed: turns to review before they are accepted. Not editable. Default false. */
  readonly provisional?: boolean;
}

export function createTracks(scope: Scope, options: TracksOptions): Tracks {
  // A length of 0 would cause divisions by zero.
  const durationSeconds = Math.max(options.durationSeconds, 0.001);
  const hasWave = options.waveform === true;
  const base = h('canvas', { class: 'tracks__canvas' });
  const overlay = h('canvas', { class: 'tracks__canvas' });
  const grips = createGrips();
  const scroller = createScroller(scope, {
    durationSeconds,
    hasWave,
    onMoved: () => {
      repaint(true);
    },
    onZoomed: options.onZoomed,
  });
  const { stage, geometry } = scroller;
  stage.append(base, overlay, grips.element);
  const minimap = createMinimap(scope, durationSeconds, (seconds) => {
    scroller.scrollTo(seconds, INSET);
  });
  const labels = createLabels();
  scope.on(labels.element, 'wheel', (event) => {
    scroller.element.scrollTop += event.deltaY;
  }, { passive: true });
  const waveNote = h('p', { class: 'tracks__wave-note', hidden: true });
  const probe = h('span', { class: 'tracks__probe', hidden: true });
  const element = h(
    'div',
    { class: 'tracks', role: 'group', 'aria-label': text.done.tracks, 'data-testid': 'tracks' },
    labels.element,
    scroller.element,
    hasWave && h('p', { class: 'tracks__wave-label' }, waveText.label),
    waveNote,
    minimap.element,
    probe,
  );

  let scene: Scene = { tracks: [], marks: [], peaks: null, isProvisional: false, hidden: null };
  /** Argument of the last call of `setMarks`; the scene has it sorted. */
  let given: readonly Mark[] = [];
  let paints: Paints | null = null;
  let position = 0;
  let loop: Segment | null = null;
  let selectedId: number | null = null;
  let selected: PlacedTurn | null = null;
  let isAdding = false;
  let frame = 0;
  let baseStale = true;
  let minimapStale = true;
  scope.add(() => {
    cancelAnimationFrame(frame);
  });

  const paint = (): void => {
    frame = 0;
    const now = geometry();
    const onBase = base.getContext('2d');
    const onOverlay = overlay.getContext('2d');
    if (now.width === 0 || !onBase || !onOverlay) return;
    paints ??= readPaints(probe);
    const drag = pointing.drag();
    if (baseStale) {
      baseStale = false;
      labels.place(now);
      for (const context of [onBase, onOverlay]) fitCanvas(context, now);
      paintBase(onBase, now, { ...scene, hidden: drag && drag.kind !== 'add' ? drag.turn : null }, paints);
      grips.place(now, isEditable() ? selected : null);
      const endSeconds = now.startSeconds + (now.width - 2 * now.inset) * now.secondsPerPixel;
      minimap.setWindow(scroller.isZoomed() ? { startSeconds: now.startSeconds, endSeconds } : null);
    }
    if (minimapStale) {
      minimapStale = false;
      minimap.paint(scene, paints);
    }
    const outlined = selected && { ...selected.turn, track: selected.track };
    paintOverlay(
      onOverlay,
      now,
      { tracks: scene.tracks, position, pointer: pointing.pointer(), loop, selected: outlined, drag },
      paints,
    );
  };
  const repaint = (withBase: boolean): void => {
    baseStale ||= withBase;
    if (frame === 0) frame = requestAnimationFrame(paint);
  };

  const isEditable = (): boolean => !scene.isProvisional;
  const pointing = createPointing(
    scope,
    {
      stage,
      grips,
      geometry,
      isEditable,
      tracks: () => scene.tracks,
      selected: () => selected,
      isAdding: () => isAdding,
      onChange: repaint,
    },
    options,
  );

  const layOut = (): void => {
    const narrow = element.clientWidth < NARROW_PIXELS;
    element.classList.toggle('tracks--narrow', narrow);
    scroller.layOut(scene.tracks.length, narrow);
    const now = geometry();
    element.style.setProperty('--track-height', `${now.trackHeight}px`);
    element.style.setProperty('--axis-height', `${now.axisHeight}px`);
    element.style.setProperty('--tracks-top', `${tracksTop(now)}px`);
    minimapStale = true;
    repaint(true);
  };
  onResize(scope, element, layOut);
  options.theme.onChange(scope, () => {
    paints = null;
    minimapStale = true;
    repaint(true);
  });
  // A change of pixel density changes no CSS size, but it fires a resize event of the window.
  scope.on(window, 'resize', layOut);

  const speakingAt = (seconds: number): readonly Track[] =>
    scene.tracks.filter(({ turns }) => turnAt(turns, seconds) !== null);
  const describe = (): void => {
    labels.setPosition(position);
  };
  const show = (changes: Partial<Scene>): void => {
    scene = { ...scene, ...changes };
    minimapStale = true;
    repaint(true);
  };

  return {
    element,
    slider: scroller.element,
    speakingAt,
    order: () => scene.tracks,
    setTracks(tracks, { provisional = false } = {}) {
      // The dragged turn may be gone or on another track.
      pointing.cancel();
      const known = new Set(scene.tracks.map(({ turns }) => turns));
      show({ tracks, isProvisional: provisional });
      element.classList.toggle('tracks--provisional', provisional);
      // The selected turn is on its old track or on a changed one.
      const { turn } = selected ?? {};
      selected = findTurn(tracks, selectedId, (track) => !turn || track.label === turn.speaker || !known.has(track.turns));
      labels.setTracks(tracks);
      describe();
      layOut();
    },
    setSelected(id, turn) {
      if (id === selectedId) return;
      selectedId = id;
      selected = turn ? placeTurn(scene.tracks, turn) : findTurn(scene.tracks, id);
      repaint(true);
    },
    setLoop(next) {
      loop = next;
      repaint(false);
    },
    setMarks(marks) {
      if (marks === given) return;
      given = marks;
      show({ marks: [...marks].sort((a, b) => a.startSeconds - b.startSeconds) });
    },
    setAdding(adding) {
      isAdding = adding;
      stage.classList.toggle('is-adding', adding);
    },
    setPeaks(peaks) {
      show({ peaks });
    },
    setWaveNote(note) {
      waveNote.hidden = note === null;
      setText(waveNote, note ?? '');
    },
    reveal({ startSeconds, endSeconds }) {
      if (selected?.turn.startSeconds === startSeconds && selected.turn.endSeconds === endSeconds) scroller.revealTrack(selected.track);
      const now = geometry();
      const left = xOf(now, startSeconds);
      const right = xOf(now, endSeconds);
      if (left >= 0 && right <= now.width) return;
      const fits = right - left < now.width * (1 - 2 * PAGE_START);
      scroller.scrollTo(startSeconds, fits ? (now.width - (right - left)) / 2 : now.width * PAGE_START);
    },
    setPosition(seconds, playing) {
      const now = geometry();
      const wasVisible = isWithin(xOf(now, position), now.width);
      position = seconds;
      if (scroller.isZoomed() && !isWithin(xOf(now, seconds), now.width) && (wasVisible || !playing)) {
        scroller.scrollTo(seconds, now.width * PAGE_START);
      }
      if (!playing) {
        // A screen reader would announce a slider value that changes every frame without a pause.
        const names = speakingAt(seconds).slice(0, MAX_NAMES).map(({ name }) => name);
        scroller.element.setAttribute('aria-valuenow', String(Math.round(seconds)));
        scroller.element.setAttribute('aria-valuetext', text.done.at(seconds, names.join(', ') || text.done.silence));
      }
      minimap.setPosition(seconds);
      describe();
      repaint(false);
    },
    zoom(factor) {
      const now = geometry();
      const x = xOf(now, position);
      const anchor = isWithin(x, now.width) ? x : now.width / 2;
      if (factor === 0) scroller.zoomTo(1, anchor);
      else scroller.zoomBy(factor, anchor);
    },
  };
}

const isWithin = (x: number, width: number): boolean => x >= 0 && x <= width;
