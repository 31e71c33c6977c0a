import { clock } from '../format';
import { secondsAt, xOf, type Geometry } from './geometry';
import { firstEndingAfter, type Lane } from './model';
import { patternOf, type Paints, type Pattern } from './palette';
import { tickSteps } from './ticks';

/** A turn shorter than a pixel is still drawn: that someone spoke is the very thing to see. */
const MIN_WIDTH = 1.5;
/** With more turns than this for each pixel, single bars would run together into a solid block. */
const DENSE_TURNS_PER_PIXEL = 0.12;
/** The lightest column of a dense lane, still plain to see on its track. */
const FAINTEST = 0.45;

/** Axis, tracks and turns: all that stays while playing. */
export function paintBase(
  context: CanvasRenderingContext2D,
  geometry: Geometry,
  lanes: readonly Lane[],
  paints: Paints,
): void {
  context.clearRect(0, 0, geometry.width, geometry.height);
  paintTicks(context, geometry, paints);
  lanes.forEach((lane, index) => {
    const top = geometry.axisHeight + index * geometry.laneHeight;
    context.fillStyle = paints.track;
    const start = Math.max(0, xOf(geometry, 0));
    const end = Math.min(geometry.width, xOf(geometry, geometry.durationSeconds));
    context.fillRect(start, top + geometry.barTop, end - start, geometry.barHeight);
    context.fillStyle = paints.rule;
    context.fillRect(0, top, geometry.width, 1);
    paintTurns(context, geometry, lane, index, paints);
  });
}

function paintTurns(
  context: CanvasRenderingContext2D,
  geometry: Geometry,
  lane: Lane,
  index: number,
  paints: Paints,
): void {
  const top = geometry.axisHeight + index * geometry.laneHeight + geometry.barTop;
  const startSeconds = secondsAt(geometry, 0);
  const endSeconds = secondsAt(geometry, geometry.width);
  context.fillStyle = paints.lanes[index] ?? paints.ink;
  const first = firstEndingAfter(lane.turns, startSeconds);
  const visible = firstEndingAfter(lane.turns, endSeconds) - first;
  if (visible > DENSE_TURNS_PER_PIXEL * geometry.width) {
    paintColumns(context, geometry, lane, first, top);
    return;
  }
  context.beginPath();
  for (let at = first; at < lane.turns.length; at += 1) {
    const turn = lane.turns[at];
    if (!turn || turn.startSeconds > endSeconds) break;
    // Clipped here: a rectangle that begins millions of pixels to the left loses precision.
    const left = Math.max(-4, xOf(geometry, turn.startSeconds));
    const right = Math.min(geometry.width + 4, xOf(geometry, turn.endSeconds));
    const width = Math.max(MIN_WIDTH, right - left);
    if (width > 6) context.roundRect(left, top, width, geometry.barHeight, 2);
    else context.rect(left, top, width, geometry.barHeight);
  }
  context.fill();
  const pattern = patternOf(index);
  if (pattern === 'solid') return;
  const ink = patternFill(context, pattern, paints.surface);
  if (!ink) return;
  context.fillStyle = ink;
  context.fill();
}

/** Hours in a few hundred pixels: each column is as strong as the part of its time that is speech. */
function paintColumns(
  context: CanvasRenderingContext2D,
  geometry: Geometry,
  { turns }: Lane,
  first: number,
  top: number,
): void {
  const columns = new Float32Array(Math.ceil(geometry.width));
  for (let at = first; at < turns.length; at += 1) {
    const turn = turns[at];
    if (!turn) break;
    const left = Math.max(0, xOf(geometry, turn.startSeconds));
    const right = Math.min(columns.length, xOf(geometry, turn.endSeconds));
    if (left >= columns.length) break;
    for (let column = Math.floor(left); column < right; column += 1) {
      columns[column]! += Math.min(right, column + 1) - Math.max(left, column);
    }
  }
  columns.forEach((part, column) => {
    if (part === 0) return;
    context.globalAlpha = FAINTEST + (1 - FAINTEST) * Math.min(1, part);
    context.fillRect(column, top, 1, geometry.barHeight);
  });
  context.globalAlpha = 1;
}

/** The pattern is cut out of the bar in the colour of the surface, so it shows on every colour. */
function patternFill(
  context: CanvasRenderingContext2D,
  pattern: Exclude<Pattern, 'solid'>,
  colour: string,
): CanvasPattern | null {
  const size = 8;
  const tile = document.createElement('canvas');
  tile.width = size;
  tile.height = size;
  const pen = tile.getContext('2d');
  if (!pen) return null;
  pen.strokeStyle = colour;
  pen.fillStyle = colour;
  if (pattern === 'hatch') {
    pen.lineWidth = 2;
    pen.beginPath();
    // Three strokes, so that the corners of neighbouring tiles meet.
    for (const shift of [-size, 0, size]) {
      pen.moveTo(shift - 1, size + 1);
      pen.lineTo(shift + size + 1, -1);
    }
    pen.stroke();
  } else {
    pen.beginPath();
    pen.arc(size / 2, size / 2, 1.7, 0, 2 * Math.PI);
    pen.fill();
  }
  return context.createPattern(tile, 'repeat');
}

function paintTicks(context: CanvasRenderingContext2D, geometry: Geometry, paints: Paints): void {
  const { major, minor } = tickSteps(geometry.secondsPerPixel);
  const end = Math.min(geometry.durationSeconds, secondsAt(geometry, geometry.width));
  context.font = paints.font;
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  const perMajor = Math.round(major / minor);
  const decimals = major < 1 ? 1 : 0;
  // One major step early, for the label whose tick has just left on the left.
  const first = Math.max(0, Math.floor((geometry.startSeconds - major) / minor));
  for (let index = first; index * minor <= end + 1e-6; index += 1) {
    const seconds = index * minor;
    const x = Math.round(xOf(geometry, seconds));
    const labelled = index % perMajor === 0;
    context.fillStyle = labelled ? paints.muted : paints.rule;
    context.fillRect(x, geometry.axisHeight - (labelled ? 12 : 6), 1, labelled ? 12 : 6);
    if (!labelled) continue;
    const label = clock(seconds, decimals);
    if (x + 5 + context.measureText(label).width > geometry.width) continue;
    context.fillStyle = paints.muted;
    context.fillText(label, x + 5, 12);
  }
}

/** Playhead and pointer. Alone on its canvas, so that a frame while playing repaints two lines and no turns. */
export function paintOverlay(
  context: CanvasRenderingContext2D,
  geometry: Geometry,
  position: number,
  pointer: number | null,
  paints: Paints,
): void {
  context.clearRect(0, 0, geometry.width, geometry.height);
  if (pointer !== null) {
    const x = Math.round(pointer);
    const seconds = secondsAt(geometry, pointer);
    if (seconds >= 0 && seconds <= geometry.durationSeconds) {
      context.fillStyle = paints.muted;
      context.fillRect(x, geometry.axisHeight, 1, geometry.height - geometry.axisHeight);
      flag(context, geometry, x, clock(seconds, 1), paints);
    }
  }
  const x = Math.round(xOf(geometry, position));
  if (x < -6 || x > geometry.width + 6) return;
  // A halo in the surface's colour keeps the line readable on a bar of any colour.
  context.globalAlpha = 0.75;
  context.fillStyle = paints.surface;
  context.fillRect(x - 2, geometry.axisHeight - 4, 5, geometry.height - geometry.axisHeight + 4);
  context.globalAlpha = 1;
  context.fillStyle = paints.ink;
  context.fillRect(x - 0.75, geometry.axisHeight - 6, 2, geometry.height - geometry.axisHeight + 6);
  context.beginPath();
  context.moveTo(x - 6, geometry.axisHeight - 14);
  context.lineTo(x + 6.5, geometry.axisHeight - 14);
  context.lineTo(x + 6.5, geometry.axisHeight - 9);
  context.lineTo(x + 0.25, geometry.axisHeight - 2);
  context.lineTo(x - 6, geometry.axisHeight - 9);
  context.fill();
}

function flag(
  context: CanvasRenderingContext2D,
  geometry: Geometry,
  x: number,
  label: string,
  paints: Paints,
): void {
  context.font = paints.font;
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  const width = context.measureText(label).width + 12;
  const left = Math.min(Math.max(0, x - width / 2), geometry.width - width);
  context.fillStyle = paints.ink;
  context.beginPath();
  context.roundRect(left, 2, width, 18, 3);
  context.fill();
  context.fillStyle = paints.surface;
  context.fillText(label, left + 6, 11.5);
}
