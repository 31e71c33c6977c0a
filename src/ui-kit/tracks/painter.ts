import type { PeakPyramid } from '../../audio/peaks';
import type { Turn } from '../../engine/types';
import { clock } from '../format';
import { barTopOf, type Geometry, tracksTop, trackTopOf, secondsAt, spanOf, visibleTracks, xOf } from './geometry';
import { firstEndingAfter, idOf, type Track, type Mark } from './model';
import { colorOf, type Paints, patternFill, patternOf } from './palette';

const STEPS = [
  0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400,
] as const;

interface TickSteps {
  /** Seconds between labeled ticks. */
  readonly major: number;
  /** Seconds between the small ticks; divides `major`. */
  readonly minor: number;
}

/** Round clock steps, wide enough for their labels. */
export function tickSteps(secondsPerPixel: number, labelPixels = 84, minorPixels = 8): TickSteps {
  const widest = STEPS[STEPS.length - 1] as number;
  const major = STEPS.find((step) => step >= labelPixels * secondsPerPixel) ?? widest;
  const divides = (step: number): boolean => {
    const times = major / step;
    return Math.abs(times - Math.round(times)) < 1e-6;
  };
  const minor = STEPS.find((step) => step >= minorPixels * secondsPerPixel && step <= major && divides(step));
  return { major, minor: minor ?? major };
}

/** Seconds of speech in all turns before each turn, axes (turn + 1). Lists of turns are immutable. */
const sums = new WeakMap<readonly Turn[], Float64Array>();

function speechSums(turns: readonly Turn[]): Float64Array {
  let made = sums.get(turns);
  if (made) return made;
  made = new Float64Array(turns.length + 1);
  for (let at = 0; at < turns.length; at += 1) {
    const { startSeconds, endSeconds } = turns[at]!;
    made[at + 1] = made[at]! + endSeconds - startSeconds;
  }
  sums.set(turns, made);
  return made;
}

/**
 * Seconds of speech before a time.
 *
 * @param turns turns of one speaker, sorted by start, without overlap
 */
export function speechBefore(turns: readonly Turn[], seconds: number): number {
  const at = firstEndingAfter(turns, seconds);
  const started = turns[at];
  const part = started && started.startSeconds < seconds ? seconds - started.startSeconds : 0;
  return speechSums(turns)[at]! + part;
}

/** Clips to the area of the tracks if they scroll: a partly visible track must not cover the axis. */
export function withinTracks(context: CanvasRenderingContext2D, geometry: Geometry, paint: () => void): void {
  if (geometry.numTracks === undefined) {
    paint();
    return;
  }
  const top = tracksTop(geometry);
  context.save();
  context.beginPath();
  context.rect(0, top, geometry.width, geometry.height - top);
  context.clip();
  paint();
  context.restore();
}

/** Position of a waveform, in CSS pixels and seconds. */
interface WavePlace {
  /** Time at `left`. */
  readonly startSeconds: number;
  readonly secondsPerPixel: number;
  readonly left: number;
  readonly right: number;
  /** Vertical position of silence. */
  readonly middle: number;
  /** Distance from the middle to the loudest peak. */
  readonly reach: number;
}

/**
 * The drawn height is the amplitude relative to the loudest peak, to this power: a slamming door does not flatten
 * speech, and quiet voices stay visible.
 */
const EXPONENT = 0.7;
/** A recording below this peak is silence and is not scaled up. */
const QUIETEST_LOUDEST = 0.02;
/** Half the width of the line that shows silence. */
const LINE = 0.5;

/** Axes (column, [lowest, highest]). Shared by all calls, so that scrolling allocates nothing. */
let columns = new Float32Array(2 * 2048);

/** Fills the waveform in the context's color, one column per CSS pixel. */
export function paintWave(
  context: CanvasRenderingContext2D,
  pyramid: PeakPyramid,
  { startSeconds, secondsPerPixel, left, right, middle, reach }: WavePlace,
): void {
  // Columns are aligned to a grid from the start of the recording, so that they do not shimmer while scrolling.
  const firstColumn = Math.floor(startSeconds / secondsPerPixel - left);
  const offset = left + firstColumn - startSeconds / secondsPerPixel;
  const numColumns = Math.ceil(right - offset) + 1;
  if (columns.length < 2 * numColumns) columns = new Float32Array(2 * numColumns);
  const window = columns.subarray(0, 2 * numColumns);
  const [from, to] = pyramid.read(firstColumn * secondsPerPixel, secondsPerPixel, window);
  if (to - from < 1) return;

  const loudest = Math.max(QUIETEST_LOUDEST, pyramid.loudest);
  const deflection = (value: number): number => Math.sign(value) * reach * Math.min(1, Math.abs(value) / loudest) ** EXPONENT;
  context.beginPath();
  for (let column = from; column < to; column += 1) {
    context.lineTo(offset + column + 0.5, middle - Math.max(LINE, deflection(window[2 * column + 1]!)));
  }
  for (let column = to - 1; column >= from; column -= 1) {
    context.lineTo(offset + column + 0.5, middle - Math.min(-LINE, deflection(window[2 * column]!)));
  }
  context.fill();
}

/** A turn shorter than a pixel is still drawn: no speech must be hidden. */
const MIN_WIDTH = 1.5;
/** Above this number of turns per pixel, single bars would merge into a solid block. */
const DENSE_TURNS_PER_PIXEL = 0.12;
/**
 * Above this number of turns per pixel, columns are differences of prefix sums: a loop over a million turns takes too
 * long for a frame.
 */
const SUMMED_TURNS_PER_PIXEL = 8;
/** Opacity of the lightest column of a dense track, still visible. */
const FAINTEST = 0.45;
const PROVISIONAL_FILL = 0.3;
const DASHES = [4, 3];
/** Content under a mark is dimmed to keep the hatching visible. */
const MARK_VEIL = 0.6;

/** State that does not change during playback. */
export interface Scene {
  readonly tracks: readonly Track[];
  /** Sorted by start. */
  readonly marks: readonly Mark[];
  readonly peaks: PeakPyramid | null;
  /** Dashed bars: turns to review before they are accepted. */
  readonly isProvisional: boolean;
  /** Id of a hidden turn, which the overlay shows while it is dragged; null for none. */
  readonly hidden: number | null;
}

/** Axis, waveform, tracks, turns and marks. */
export function paintBase(context: CanvasRenderingContext2D, geometry: Geometry, scene: Scene, paints: Paints): void {
  context.clearRect(0, 0, geometry.width, geometry.height);
  paintTicks(context, geometry, paints);
  if (geometry.waveHeight > 0) {
    paintTrack(context, geometry, geometry.axisHeight + 4, geometry.waveHeight - 8, paints);
    if (scene.peaks) {
      context.fillStyle = paints.muted;
      paintWave(context, scene.peaks, {
        startSeconds: geometry.startSeconds,
        secondsPerPixel: geometry.secondsPerPixel,
        left: geometry.inset,
        right: geometry.width,
        middle: geometry.axisHeight + geometry.waveHeight / 2,
        reach: geometry.waveHeight / 2 - 6,
      });
    }
  }
  withinTracks(context, geometry, () => {
    const { from, to } = visibleTracks(geometry);
    scene.tracks.slice(from, to).forEach((track, offset) => {
      const index = from + offset;
      paintTrack(context, geometry, barTopOf(geometry, index), geometry.barHeight, paints);
      context.fillStyle = paints.rule;
      context.fillRect(0, trackTopOf(geometry, index), geometry.width, 1);
      paintTurns(context, geometry, track, barTopOf(geometry, index), scene, paints);
    });
    for (const kind of ['missed', 'false-alarm', 'confusion'] as const) paintMarks(context, geometry, scene, kind, paints);
  });
}

function paintTrack(context: CanvasRenderingContext2D, geometry: Geometry, top: number, height: number, paints: Paints): void {
  const start = Math.max(0, xOf(geometry, 0));
  const end = Math.min(geometry.width, xOf(geometry, geometry.durationSeconds));
  context.fillStyle = paints.track;
  context.fillRect(start, top, end - start, height);
}

function paintTurns(
  context: CanvasRenderingContext2D,
  geometry: Geometry,
  track: Track,
  top: number,
  { isProvisional, hidden }: Scene,
  paints: Paints,
): void {
  const startSeconds = secondsAt(geometry, 0);
  const endSeconds = secondsAt(geometry, geometry.width);
  const color = colorOf(paints, track.color);
  context.fillStyle = color;
  const first = firstEndingAfter(track.turns, startSeconds);
  const visible = firstEndingAfter(track.turns, endSeconds) - first;
  if (visible > DENSE_TURNS_PER_PIXEL * geometry.width) {
    paintColumns(context, geometry, track, top, geometry.barHeight, isProvisional ? PROVISIONAL_FILL : 1);
    return;
  }
  context.beginPath();
  for (let at = first; at < track.turns.length; at += 1) {
    const turn = track.turns[at];
    if (!turn || turn.startSeconds > endSeconds) break;
    if (hidden === null || idOf(turn) !== hidden) addBar(context, geometry, turn, top);
  }
  if (isProvisional) context.globalAlpha = PROVISIONAL_FILL;
  context.fill();
  context.globalAlpha = 1;
  if (isProvisional) {
    context.strokeStyle = color;
    context.lineWidth = 1.5;
    context.setLineDash(DASHES);
    context.stroke();
    context.setLineDash([]);
  }
  fillPattern(context, geometry, track.color, paints);
}

/** Adds a turn's bar to the path. */
export function addBar(
  context: CanvasRenderingContext2D,
  geometry: Geometry,
  segment: { readonly startSeconds: number; readonly endSeconds: number },
  top: number,
): void {
  const { left, right } = spanOf(geometry, segment);
  const width = Math.max(MIN_WIDTH, right - left);
  if (width > 6) context.roundRect(left, top, width, geometry.barHeight, 2);
  else context.rect(left, top, width, geometry.barHeight);
}

/** Draws the color's pattern, if it has one, over the path. */
export function fillPattern(context: CanvasRenderingContext2D, geometry: Geometry, color: number, paints: Paints): void {
  const pattern = patternOf(color);
  if (pattern === 'solid') return;
  const ink = patternFill(context, pattern, paints, scrolledPixels(geometry));
  if (!ink) return;
  context.fillStyle = ink;
  context.fill();
}

const scrolledPixels = ({ startSeconds, secondsPerPixel }: Geometry): number => startSeconds / secondsPerPixel;

/** Shared by all calls, so that scrolling allocates nothing. Grows to the widest window. */
let speechOfColumn = new Float32Array(2048);

/**
 * For hours in a few hundred pixels: the opacity of each column is the fraction of its time with speech.
 *
 * @param strength factor on the opacity, 0 to 1
 */
export function paintColumns(
  context: CanvasRenderingContext2D,
  geometry: Geometry,
  { turns }: Track,
  top: number,
  height: number,
  strength = 1,
): void {
  const numColumns = Math.ceil(geometry.width);
  if (speechOfColumn.length < numColumns) speechOfColumn = new Float32Array(numColumns);
  const columns = speechOfColumn;
  columns.fill(0, 0, numColumns);
  if (turns.length > SUMMED_TURNS_PER_PIXEL * numColumns) {
    let before = speechBefore(turns, secondsAt(geometry, 0));
    for (let column = 0; column < numColumns; column += 1) {
      const next = speechBefore(turns, secondsAt(geometry, column + 1));
      columns[column] = (next - before) / geometry.secondsPerPixel;
      before = next;
    }
  } else for (let at = firstEndingAfter(turns, secondsAt(geometry, 0)); at < turns.length; at += 1) {
    const turn = turns[at];
    if (!turn) break;
    const left = Math.max(0, xOf(geometry, turn.startSeconds));
    const right = Math.min(numColumns, xOf(geometry, turn.endSeconds));
    if (left >= numColumns) break;
    for (let column = Math.floor(left); column < right; column += 1) {
      columns[column]! += Math.min(right, column + 1) - Math.max(left, column);
    }
  }
  for (let column = 0; column < numColumns; column += 1) {
    const part = columns[column]!;
    if (part === 0) continue;
    context.globalAlpha = strength * (FAINTEST + (1 - FAINTEST) * Math.min(1, part));
    context.fillRect(column, top, 1, height);
  }
  context.globalAlpha = 1;
}

function paintMarks(
  context: CanvasRenderingContext2D,
  geometry: Geometry,
  { tracks, marks }: Scene,
  kind: Mark['kind'],
  paints: Paints,
): void {
  const startSeconds = secondsAt(geometry, 0);
  const endSeconds = secondsAt(geometry, geometry.width);
  const { from, to } = visibleTracks(geometry);
  const trackOf = new Map(tracks.slice(from, to).map(({ label }, offset) => [label, from + offset]));
  context.beginPath();
  let isEmpty = true;
  for (const mark of marks) {
    if (mark.startSeconds > endSeconds) break;
    if (mark.kind !== kind || mark.endSeconds < startSeconds) continue;
    const track = mark.speaker === null ? null : trackOf.get(mark.speaker);
    if (track === undefined) continue;
    const { left, right } = spanOf(geometry, mark);
    const top = track === null ? tracksTop(geometry) + 1 : trackTopOf(geometry, track) + 3;
    const height = track === null ? geometry.height - tracksTop(geometry) - 1 : geometry.trackHeight - 5;
    context.rect(left, top, Math.max(MIN_WIDTH, right - left), height);
    isEmpty = false;
  }
  if (isEmpty) return;
  context.globalAlpha = MARK_VEIL;
  context.fillStyle = paints.surface;
  context.fill();
  context.globalAlpha = 1;
  const hatching = patternFill(context, kind, paints, scrolledPixels(geometry));
  if (hatching) {
    context.fillStyle = hatching;
    context.fill();
  }
  context.strokeStyle = paints.ink;
  context.lineWidth = 1;
  context.stroke();
}

function paintTicks(context: CanvasRenderingContext2D, geometry: Geometry, paints: Paints): void {
  const { major, minor } = tickSteps(geometry.secondsPerPixel);
  const end = Math.min(geometry.durationSeconds, secondsAt(geometry, geometry.width));
  context.font = paints.font;
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  const perMajor = Math.round(major / minor);
  const decimals = major < 1 ? 1 : 0;
  // One major step early, for the label whose tick has just scrolled out on the left.
  const first = Math.max(0, Math.floor((geometry.startSeconds - major) / minor));
  for (let index = first; index * minor <= end + 1e-6; index += 1) {
    const seconds = index * minor;
    const x = Math.round(xOf(geometry, seconds));
    const labeled = index % perMajor === 0;
    context.fillStyle = labeled ? paints.muted : paints.rule;
    context.fillRect(x, geometry.axisHeight - (labeled ? 12 : 6), 1, labeled ? 12 : 6);
    if (!labeled) continue;
    const label = clock(seconds, decimals);
    if (x + 5 + context.measureText(label).width > geometry.width) continue;
    context.fillStyle = paints.muted;
    context.fillText(label, x + 5, 12);
  }
}
