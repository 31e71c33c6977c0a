import { inSlices } from '../../util/concurrency';
import { fitCanvas, h, isTouch, TOUCH_PIXELS } from '../dom';
import { clock } from '../format';
import type { Scope } from '../scope';
import { inLanguage } from '../texts/language';
import { type Geometry, INSET, trackMetrics, secondsAt, xOf } from './geometry';
import type { Track } from './model';
import { paintColumns, paintWave, type Scene } from './painter';
import { colorOf, type Paints } from './palette';

export const waveText = inLanguage(
  {
    reading: 'Reading the waveform …',
    none: (noDecoder: boolean): string =>
      noDecoder ? 'No waveform: this browser decodes this file only as a whole.' : 'Part of the waveform is missing: the rest of the file could not be read.',
    label: 'Waveform',
    overview: 'Visible part',
    overviewAt: (start: string, end: string) => `${start} to ${end}`,
  },
  {
    de: {
      reading: 'Wellenform wird gelesen …',
      none: (noDecoder: boolean) =>
        noDecoder ? 'Keine Wellenform: Dieser Browser dekodiert diese Datei nur als Ganzes.' : 'Ein Teil der Wellenform fehlt: Der Rest der Datei ist nicht lesbar.',
      label: 'Wellenform',
      overview: 'Sichtbarer Ausschnitt',
      overviewAt: (start: string, end: string) => `${start} bis ${end}`,
    },
  },
);

/** Turns summed per step. */
const STEP_TURNS = 2000;

interface Overview {
  /** Number of columns, each one CSS pixel wide. */
  readonly numColumns: number;
  readonly numRows: number;
  /** Seconds of speech, axes (row, column). The tracks are distributed evenly over the rows. */
  readonly speech: Float32Array;
}

/**
 * Computes the amount of speech over time, for more tracks than rows. A generator, because there can be a million
 * turns.
 */
export function* overviewSteps(tracks: readonly Track[], geometry: Geometry, numRows: number): Generator<void, Overview> {
  const numColumns = Math.ceil(geometry.width);
  const speech = new Float32Array(numRows * numColumns);
  let added = 0;
  for (const [index, { turns }] of tracks.entries()) {
    const row = Math.floor((index * numRows) / tracks.length) * numColumns;
    for (const { startSeconds, endSeconds } of turns) {
      const left = Math.max(0, xOf(geometry, startSeconds));
      const right = Math.min(numColumns, xOf(geometry, endSeconds));
      for (let column = Math.floor(left); column < right; column += 1) {
        speech[row + column]! += (Math.min(right, column + 1) - Math.max(left, column)) * geometry.secondsPerPixel;
      }
      added += 1;
      if (added % STEP_TURNS === 0) yield;
    }
  }
  return { numColumns, numRows, speech };
}

/** The more speech, the darker a cell. Every cell with speech is visible. */
function paintOverview(context: CanvasRenderingContext2D, { numColumns, numRows, speech }: Overview, top: number, height: number): void {
  const most = speech.reduce((greatest, seconds) => Math.max(greatest, seconds), 0);
  const rowHeight = height / numRows;
  for (let row = 0; row < numRows; row += 1) {
    for (let column = 0; column < numColumns; column += 1) {
      const seconds = speech[row * numColumns + column]!;
      if (seconds === 0) continue;
      context.globalAlpha = 0.25 + (0.75 * seconds) / most;
      context.fillRect(column, top + row * rowHeight, 1, rowHeight);
    }
  }
  context.globalAlpha = 1;
}

const HEIGHT = 48;
/** The waveform is in the upper part, the tracks in the lower part. */
const WAVE_PART = 22;
const TRACKS_PART = HEIGHT - WAVE_PART - 4;
/** Minimum width of the window, so that it can be dragged with a mouse. */
const NARROWEST_PIXELS = 24;
const STEP_PART = 0.1;
const PAGE_PART = 0.9;

interface Minimap {
  readonly element: HTMLElement;
  /** Adopts the element's width and repaints everything. */
  readonly paint: (scene: Scene, paints: Paints) => void;
  /** Shows the part that is in the window; null for the whole recording. */
  readonly setWindow: (shown: { readonly startSeconds: number; readonly endSeconds: number } | null) => void;
  readonly setPosition: (seconds: number) => void;
}

/**
 * An overview of the whole recording that marks the part in the window.
 *
 * @param onStart requests a window that begins at this time, possibly outside the recording
 */
export function createMinimap(scope: Scope, durationSeconds: number, onStart: (seconds: number) => void): Minimap {
  const canvas = h('canvas', { class: 'minimap__canvas' });
  const playhead = h('div', { class: 'minimap__playhead' });
  const shownPart = h('div', {
    class: 'minimap__window',
    role: 'slider',
    tabindex: 0,
    hidden: true,
    'aria-label': waveText.overview,
    'aria-valuemin': 0,
    'aria-valuemax': Math.round(durationSeconds),
    'data-testid': 'minimap-window',
  });
  const element = h('div', { class: 'minimap', 'data-testid': 'minimap' }, canvas, playhead, shownPart);
  const narrowestPixels = isTouch() ? TOUCH_PIXELS : NARROWEST_PIXELS;
  let width = 0;
  let shown: { readonly startSeconds: number; readonly endSeconds: number } | null = null;
  let position = 0;
  /** For more tracks than rows: computed in slices, for these tracks and this width. */
  let overview: { readonly tracks: Scene['tracks']; readonly width: number; readonly made: Overview | null } | null = null;
  /** The pointer that drags the window, and its offset from the window's start. */
  let held: { readonly pointerId: number; readonly offsetSeconds: number } | null = null;

  const geometry = (): Geometry => ({
    ...trackMetrics(false),
    width,
    height: HEIGHT,
    axisHeight: 0,
    waveHeight: 0,
    startSeconds: 0,
    secondsPerPixel: durationSeconds / Math.max(1, width - 2 * INSET),
    inset: INSET,
    durationSeconds,
  });
  const place = (): void => {
    if (width === 0) return;
    const now = geometry();
    playhead.style.transform = `translateX(${xOf(now, position)}px)`;
    shownPart.hidden = shown === null;
    if (!shown) return;
    const left = xOf(now, Math.max(0, shown.startSeconds));
    const right = xOf(now, Math.min(durationSeconds, shown.endSeconds));
    const extra = Math.max(0, narrowestPixels - (right - left));
    const start = Math.min(Math.max(0, left - extra / 2), width - narrowestPixels);
    shownPart.style.transform = `translateX(${start}px)`;
    shownPart.style.width = `${right - left + extra}px`;
    const value = String(Math.round(shown.startSeconds));
    if (shownPart.getAttribute('aria-valuenow') === value) return;
    shownPart.setAttribute('aria-valuenow', value);
    shownPart.setAttribute('aria-valuetext', waveText.overviewAt(clock(shown.startSeconds), clock(shown.endSeconds)));
  };

  function prepare(scene: Scene, paints: Paints): void {
    const wanted = { tracks: scene.tracks, width, made: overview?.made ?? null };
    overview = wanted;
    void inSlices(overviewSteps(scene.tracks, geometry(), TRACKS_PART), () => overview === wanted && !scope.disposed).then((made) => {
      if (!made || overview !== wanted) return;
      overview = { ...wanted, made };
      paint(scene, paints);
    });
  }

  const secondsOf = (event: PointerEvent): number =>
    secondsAt(geometry(), event.clientX - element.getBoundingClientRect().left);
  scope.on(element, 'pointerdown', (event) => {
    if (!shown || held || event.button !== 0) return;
    const seconds = secondsOf(event);
    if (event.target !== shownPart) onStart(seconds - (shown.endSeconds - shown.startSeconds) / 2);
    // The window jumped under the pointer, so the same press can continue as a drag.
    held = { pointerId: event.pointerId, offsetSeconds: seconds - shown.startSeconds };
    element.setPointerCapture(event.pointerId);
  });
  scope.on(element, 'pointermove', (event) => {
    if (held?.pointerId === event.pointerId) onStart(secondsOf(event) - held.offsetSeconds);
  });
  for (const type of ['pointerup', 'pointercancel'] as const) {
    scope.on(element, type, (event) => {
      if (held?.pointerId === event.pointerId) held = null;
    });
  }
  scope.on(shownPart, 'keydown', (event) => {
    if (!shown || event.ctrlKey || event.metaKey || event.altKey) return;
    const start = startAfterKey(event.key, shown, durationSeconds);
    if (start === null) return;
    event.preventDefault();
    onStart(start);
  });

  function paint(scene: Scene, paints: Paints): void {
    width = element.clientWidth;
    const context = canvas.getContext('2d');
    if (width === 0 || !context) return;
    const now = geometry();
    fitCanvas(context, now);
    context.clearRect(0, 0, width, HEIGHT);
    if (scene.peaks) {
      context.fillStyle = paints.ruleStrong;
      paintWave(context, scene.peaks, {
        startSeconds: 0,
        secondsPerPixel: now.secondsPerPixel,
        left: INSET,
        right: width,
        middle: 2 + WAVE_PART / 2,
        reach: WAVE_PART / 2 - 1,
      });
    }
    if (scene.tracks.length > TRACKS_PART) {
      context.fillStyle = paints.muted;
      if (overview?.tracks !== scene.tracks || overview.width !== width) prepare(scene, paints);
      // The previous overview is shown until the new one is ready.
      if (overview?.made) paintOverview(context, overview.made, WAVE_PART + 2, TRACKS_PART);
      place();
      return;
    }
    const rowHeight = TRACKS_PART / Math.max(4, scene.tracks.length);
    scene.tracks.forEach((track, index) => {
      context.fillStyle = colorOf(paints, track.color);
      paintColumns(context, now, track, WAVE_PART + 2 + index * rowHeight, Math.max(1, rowHeight - 1));
    });
    place();
  }

  return {
    element,
    paint,
    setWindow(next) {
      shown = next;
      place();
    },
    setPosition(seconds) {
      position = seconds;
      place();
    },
  };
}

/** Start of the window after a slider key; null for other keys. */
function startAfterKey(
  key: string,
  { startSeconds, endSeconds }: { readonly startSeconds: number; readonly endSeconds: number },
  durationSeconds: number,
): number | null {
  const length = endSeconds - startSeconds;
  switch (key) {
    case 'ArrowLeft':
    case 'ArrowDown':
      return startSeconds - STEP_PART * length;
    case 'ArrowRight':
    case 'ArrowUp':
      return startSeconds + STEP_PART * length;
    case 'PageUp':
      return startSeconds - PAGE_PART * length;
    case 'PageDown':
      return startSeconds + PAGE_PART * length;
    case 'Home':
      return 0;
    case 'End':
      return durationSeconds - length;
    default:
      return null;
  }
}
