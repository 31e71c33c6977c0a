import type { Turn } from '../../engine/types';
import { h } from '../dom';
import type { ThemeControl } from '../pageFrame';
import type { Scope } from '../scope';
import { barTopOf, type Geometry, trackAt, tracksTop, secondsAt, xOf } from './geometry';
import { findTurn, idOf, type Track, type PlacedTurn, turnAt } from './model';
import type { Segment } from '../../util/segment';

/** Minimum length of a dragged turn, about the shortest speech sound. */
export const MIN_TURN_SECONDS = 0.05;

/** The current drag with its result if released now. `track` is the index of the track that shows it. */
export type Drag = Segment & { readonly track: number } & (
    | { readonly kind: 'edge'; readonly edge: 'start' | 'end'; readonly turn: number }
    | { readonly kind: 'assign'; readonly turn: number; readonly from: number }
    | { readonly kind: 'add'; readonly anchorSeconds: number }
  );

/** Whether a new turn can begin here: within the recording and outside the turns of this track. */
export function isRoom({ turns }: Track, seconds: number, durationSeconds: number): boolean {
  return seconds >= 0 && seconds <= durationSeconds && turnAt(turns, seconds) === null;
}

/** A turn with one edge moved to `seconds`, limited by the recording and the minimum length. */
export function withEdge(
  { startSeconds, endSeconds }: Turn,
  edge: 'start' | 'end',
  seconds: number,
  durationSeconds: number,
): Segment {
  if (edge === 'start') {
    // A turn that is already shorter keeps at least its length.
    const latest = Math.max(startSeconds, endSeconds - MIN_TURN_SECONDS);
    return { startSeconds: Math.min(latest, Math.max(0, seconds)), endSeconds };
  }
  const earliest = Math.min(endSeconds, startSeconds + MIN_TURN_SECONDS);
  return { startSeconds, endSeconds: Math.max(earliest, Math.min(durationSeconds, seconds)) };
}

/**
 * The new turn from the start of a drag to the pointer, within the recording and between the nearest turns of its track.
 *
 * @param turns of the track; `anchorSeconds` is in none of them
 */
export function addedTurn(anchorSeconds: number, seconds: number, durationSeconds: number, turns: readonly Turn[]): Segment {
  let [earliest, latest] = [0, durationSeconds];
  for (const turn of turns) {
    if (turn.endSeconds <= anchorSeconds) earliest = Math.max(earliest, turn.endSeconds);
    else latest = Math.min(latest, turn.startSeconds);
  }
  const now = Math.min(latest, Math.max(earliest, seconds));
  return { startSeconds: Math.min(anchorSeconds, now), endSeconds: Math.max(anchorSeconds, now) };
}

/** Below this width, the grips are outside the turn: inside, they would overlap. */
const THIN_PIXELS = 32;

/**
 * The areas by which the selected turn can be dragged. They are elements, not canvas areas, because the browser uses
 * the element to decide between scrolling and dragging by touch. Their visible parts are painted.
 */
interface Grips {
  readonly element: HTMLElement;
  /** Positions the grips over a turn; null hides them. */
  readonly place: (geometry: Geometry, placed: PlacedTurn | null) => void;
  readonly edgeOf: (target: EventTarget | null) => 'start' | 'end' | null;
  readonly isBody: (target: EventTarget | null) => boolean;
}

export function createGrips(): Grips {
  const start = h('div', { class: 'tracks__edge tracks__edge--start', 'data-testid': 'grip-start' });
  const end = h('div', { class: 'tracks__edge tracks__edge--end', 'data-testid': 'grip-end' });
  const element = h('div', { class: 'tracks__grips', hidden: true, 'aria-hidden': 'true' }, start, end);
  return {
    element,
    place(geometry, placed) {
      const left = placed ? xOf(geometry, placed.turn.startSeconds) : 0;
      const right = placed ? xOf(geometry, placed.turn.endSeconds) : 0;
      const top = placed ? barTopOf(geometry, placed.track) : 0;
      const isScrolledOut = top < tracksTop(geometry) || top + geometry.barHeight > geometry.height;
      element.hidden = !placed || right < 0 || left > geometry.width || isScrolledOut;
      if (!placed || element.hidden) return;
      const from = Math.max(0, left);
      const width = Math.min(geometry.width, right) - from;
      element.style.transform = `translate(${from}px, ${top}px)`;
      element.style.width = `${width}px`;
      element.style.height = `${geometry.barHeight}px`;
      element.classList.toggle('is-thin', width < THIN_PIXELS);
      start.hidden = left < 0;
      end.hidden = right > geometry.width;
    },
    edgeOf: (target) => (target === start ? 'start' : target === end ? 'end' : null),
    isBody: (target) => target === element,
  };
}

/**
 * Callbacks of the tracks. Turns can be selected, moved and assigned only if they have an id (`EditableTurn`) and the
 * callback is given.
 */
export interface TracksOptions {
  readonly durationSeconds: number;
  readonly theme: ThemeControl;
  /** Whether to reserve a row for the waveform above the tracks. Default false. */
  readonly waveform?: boolean;
  readonly onSeek: (seconds: number) => void;
  /** A turn was clicked to play it. */
  readonly onTurn: (turn: Turn) => void;
  readonly onZoomed: (zoomed: boolean) => void;
  /** A turn was clicked; comes before `onTurn`. */
  readonly onSelectTurn?: (turn: number) => void;
  /** A turn was double-clicked to loop it. */
  readonly onLoopTurn?: (turn: Turn) => void;
  /**
   * An edge of the selected turn was dragged and released. The segment may overlap other turns of its track; the editor
   * resolves this.
   */
  readonly onMoveTurn?: (turn: number, startSeconds: number, endSeconds: number) => void;
  /** A turn was dragged onto another speaker's track. */
  readonly onAssignTurn?: (turn: number, speaker: string) => void;
  /** A drag began in an empty part of a track. The segment may lie over turns of that track. */
  readonly onAddTurn?: (speaker: string, startSeconds: number, endSeconds: number) => void;
}

const HIT_PIXELS = 3;
/** Movement tolerance of a click; more is a drag. */
const DRAG_PIXELS = 5;

interface PointingHost {
  readonly stage: HTMLElement;
  readonly grips: Grips;
  readonly geometry: () => Geometry;
  readonly tracks: () => readonly Track[];
  readonly selected: () => PlacedTurn | null;
  /** False if the turns shown cannot be edited. */
  readonly isEditable: () => boolean;
  readonly isAdding: () => boolean;
  /** @param withTurns whether another turn is dragged now, or dragging ended */
  readonly onChange: (withTurns: boolean) => void;
}

interface Pointing {
  /** Position of the mouse in the window; null if there is none. */
  readonly pointer: () => number | null;
  readonly drag: () => Drag | null;
  /** Ends the drag without a change. */
  readonly cancel: () => void;
}

/** The action that a press starts once it moves. */
interface Press {
  readonly pointerId: number;
  readonly x: number;
  readonly y: number;
  /** Distance from the edge to the position where it was grabbed. */
  readonly slackSeconds: number;
  readonly begin: (geometry: Geometry, x: number, y: number) => Drag | null;
}

/** Clicks, hovering and drags over the tracks, with mouse, pen and finger. */
export function createPointing(scope: Scope, host: PointingHost, options: TracksOptions): Pointing {
  const { stage } = host;
  let pointer: number | null = null;
  let press: Press | null = null;
  let drag: Drag | null = null;
  /** Ignore the click event that follows a drag. */
  let isClickOver = false;

  const place = (event: MouseEvent): { now: Geometry; x: number; y: number; seconds: number; track: number | null } => {
    const box = stage.getBoundingClientRect();
    const now = host.geometry();
    const x = event.clientX - box.left;
    const y = event.clientY - box.top;
    return { now, x, y, seconds: secondsAt(now, x), track: trackAt(now, y) };
  };
  const hit = (event: MouseEvent): { seconds: number; turn: Turn | null; track: number } => {
    const { now, seconds, track } = place(event);
    const under = host.tracks()[track ?? -1];
    return { seconds, track: track ?? -1, turn: under ? turnAt(under.turns, seconds, HIT_PIXELS * now.secondsPerPixel) : null };
  };

  const set = (next: Drag | null): void => {
    const withTurns = (next === null) !== (drag === null);
    drag = next;
    stage.classList.toggle('is-dragging', drag !== null);
    host.onChange(withTurns);
  };
  const end = (): void => {
    press = null;
    if (drag) set(null);
  };

  const pressOf = (event: PointerEvent): Press | null => {
    const { now, x, y, seconds } = place(event);
    const head = { pointerId: event.pointerId, x, y, slackSeconds: 0 };
    const selected = host.selected();
    const edge = host.grips.edgeOf(event.target);
    if (edge && selected && options.onMoveTurn) {
      const id = idOf(selected.turn);
      const { startSeconds, endSeconds } = selected.turn;
      if (id === null) return null;
      return {
        ...head,
        slackSeconds: seconds - (edge === 'start' ? startSeconds : endSeconds),
        begin: () => ({ kind: 'edge', edge, turn: id, track: selected.track, startSeconds, endSeconds }),
      };
    }
    const { turn, track: index } = hit(event);
    const track = host.tracks()[index];
    if ((host.isAdding() || event.shiftKey) && options.onAddTurn) {
      if (!track || !isRoom(track, seconds, now.durationSeconds)) return null;
      return {
        ...head,
        begin: (_, toX) =>
          Math.abs(toX - x) < DRAG_PIXELS
            ? null
            : { kind: 'add', track: index, anchorSeconds: seconds, startSeconds: seconds, endSeconds: seconds },
      };
    }
    // A touch move over the tracks scrolls them; only the selected turn can be dragged out of its track.
    const canPull = event.pointerType !== 'touch' || host.grips.isBody(event.target);
    const id = turn && idOf(turn);
    if (!turn || id === null || !canPull || !options.onAssignTurn) return null;
    return {
      ...head,
      begin: (geometry, _, toY) =>
        Math.abs(toY - y) < DRAG_PIXELS || trackAt(geometry, toY) === index
          ? null
          : { kind: 'assign', turn: id, from: index, track: index, startSeconds: turn.startSeconds, endSeconds: turn.endSeconds },
    };
  };

  /** The drag with the pointer at this position. */
  const moved = (from: Drag, slackSeconds: number, event: PointerEvent): Drag => {
    const { now, seconds, track } = place(event);
    const tracks = host.tracks();
    switch (from.kind) {
      case 'edge': {
        const dragged = findTurn(tracks, from.turn);
        if (!dragged) return from;
        return { ...from, ...withEdge(dragged.turn, from.edge, seconds - slackSeconds, now.durationSeconds) };
      }
      case 'assign':
        return { ...from, track: Math.min(tracks.length - 1, Math.max(0, track ?? 0)) };
      case 'add':
        return { ...from, ...addedTurn(from.anchorSeconds, seconds, now.durationSeconds, tracks[from.track]?.turns ?? []) };
    }
  };

  const commit = (done: Drag): void => {
    const track = host.tracks()[done.track];
    if (!track) return;
    if (done.kind === 'edge') {
      options.onMoveTurn?.(done.turn, done.startSeconds, done.endSeconds);
    } else if (done.kind === 'assign') {
      if (done.track !== done.from) options.onAssignTurn?.(done.turn, track.label);
    } else if (done.endSeconds - done.startSeconds >= MIN_TURN_SECONDS) {
      options.onAddTurn?.(track.label, done.startSeconds, done.endSeconds);
    }
  };

  scope.on(stage, 'pointerdown', (event) => {
    // A second finger starts a pinch and ends the drag.
    if (press && event.pointerType === 'touch') end();
    if (!event.isPrimary || press || event.button !== 0) return;
    isClickOver = false;
    if (host.isEditable()) press = pressOf(event);
  });
  scope.on(stage, 'pointermove', (event) => {
    if (press?.pointerId === event.pointerId) {
      const { now, x, y } = place(event);
      const begun = drag ?? press.begin(now, x, y);
      if (!begun) return;
      // Capture the pointer, so that events outside the tracks arrive too.
      if (!drag) stage.setPointerCapture(event.pointerId);
      set(moved(begun, press.slackSeconds, event));
      return;
    }
    if (event.pointerType !== 'mouse') return;
    pointer = event.clientX - stage.getBoundingClientRect().left;
    stage.classList.toggle('is-over-turn', hit(event).turn !== null);
    host.onChange(false);
  });
  scope.on(stage, 'pointerup', (event) => {
    if (press?.pointerId !== event.pointerId) return;
    const done = drag;
    isClickOver = done !== null;
    end();
    if (done) commit(done);
  });
  scope.on(stage, 'pointercancel', (event) => {
    if (press?.pointerId === event.pointerId) end();
  });
  scope.on(stage, 'pointerleave', () => {
    pointer = null;
    host.onChange(false);
  });
  scope.on(
    document,
    'keydown',
    (event) => {
      if (event.key !== 'Escape' || !drag) return;
      // Escape ends only the drag, and does not close anything else.
      event.stopPropagation();
      event.preventDefault();
      isClickOver = true;
      end();
    },
    { capture: true },
  );
  scope.on(stage, 'click', (event) => {
    if (isClickOver) {
      isClickOver = false;
      return;
    }
    const { seconds, turn } = hit(event);
    if (!turn) {
      options.onSeek(Math.min(Math.max(0, seconds), host.geometry().durationSeconds));
      return;
    }
    const id = idOf(turn);
    if (id !== null) options.onSelectTurn?.(id);
    options.onTurn(turn);
  });
  scope.on(stage, 'dblclick', (event) => {
    const { turn } = hit(event);
    if (turn) options.onLoopTurn?.(turn);
  });

  return { pointer: () => pointer, drag: () => drag, cancel: end };
}
