import { clock } from '../format';
import type { Drag } from './pointing';
import { barTopOf, secondsAt, spanOf, tracksOf, xOf, type Geometry } from './geometry';
import { addBar, fillPattern, withinTracks } from './painter';
import type { Track } from './model';
import type { Segment } from '../../util/segment';
import { colorOf, type Paints } from './palette';

const LOOP_FILL = 0.14;
/** Half the length of the edge grips. */
const GRIP_REACH = 6;

/** State that changes during playback, pointing and dragging. */
interface Moment {
  readonly tracks: readonly Track[];
  readonly position: number;
  /** Position of the mouse; null if there is none. */
  readonly pointer: number | null;
  readonly loop: Segment | null;
  /** The selected turn and the index of its track. */
  readonly selected: (Segment & { readonly track: number }) | null;
  readonly drag: Drag | null;
}

/**
 * Loop, selection, drag, pointer and playhead. They have their own canvas, so that playback does not repaint the turns.
 */
export function paintOverlay(context: CanvasRenderingContext2D, geometry: Geometry, moment: Moment, paints: Paints): void {
  context.clearRect(0, 0, geometry.width, geometry.height);
  if (moment.loop) paintLoop(context, geometry, moment.loop, paints);
  const { drag, selected } = moment;
  withinTracks(context, geometry, () => {
    if (drag) paintDrag(context, geometry, moment.tracks, drag, paints);
    else if (selected) outline(context, geometry, selected, selected.track, paints, true);
  });
  if (drag) paintDragTimes(context, geometry, drag, paints);
  const pointer = drag ? null : moment.pointer;
  if (pointer !== null) paintPointer(context, geometry, pointer, paints);
  paintPlayhead(context, geometry, moment.position, paints);
}

function paintLoop(context: CanvasRenderingContext2D, geometry: Geometry, loop: Segment, paints: Paints): void {
  const { left, right } = spanOf(geometry, loop);
  if (right < 0 || left > geometry.width) return;
  const top = geometry.axisHeight - 4;
  const width = Math.max(2, right - left);
  context.fillStyle = paints.accent;
  context.globalAlpha = LOOP_FILL;
  context.fillRect(left, top, width, geometry.height - top);
  context.globalAlpha = 1;
  context.fillRect(left, top, width, 4);
  context.fillRect(left, top, 1, geometry.height - top);
  context.fillRect(left + width - 1, top, 1, geometry.height - top);
}

/** An outline around a turn, in ink on the surface color: visible on bars and tracks of any color. */
function outline(
  context: CanvasRenderingContext2D,
  geometry: Geometry,
  segment: Segment,
  track: number,
  paints: Paints,
  hasGrips: boolean,
): void {
  const { left, right } = spanOf(geometry, segment);
  if (right < 0 || left > geometry.width) return;
  const top = barTopOf(geometry, track);
  const width = Math.max(2, right - left);
  for (const [color, line, gap] of [[paints.surface, 4, 1], [paints.ink, 2, 2]] as const) {
    context.strokeStyle = color;
    context.lineWidth = line;
    context.beginPath();
    context.roundRect(left - gap, top - gap, width + 2 * gap, geometry.barHeight + 2 * gap, 3);
    context.stroke();
  }
  if (!hasGrips) return;
  const middle = top + geometry.barHeight / 2;
  for (const [x, isSeen] of [[left - 2, left > -4], [left + width + 2, right < geometry.width + 4]] as const) {
    if (!isSeen) continue;
    context.beginPath();
    context.roundRect(x - 3.5, middle - GRIP_REACH - 1, 7, 2 * GRIP_REACH + 2, 3);
    context.fillStyle = paints.surface;
    context.fill();
    context.beginPath();
    context.roundRect(x - 2.5, middle - GRIP_REACH, 5, 2 * GRIP_REACH, 2.5);
    context.fillStyle = paints.ink;
    context.fill();
  }
}

function paintDrag(
  context: CanvasRenderingContext2D,
  geometry: Geometry,
  tracks: readonly Track[],
  drag: Drag,
  paints: Paints,
): void {
  const color = tracks[drag.track]?.color ?? 0;
  context.beginPath();
  addBar(context, geometry, drag, barTopOf(geometry, drag.track));
  context.fillStyle = colorOf(paints, color);
  context.fill();
  fillPattern(context, geometry, color, paints);
  outline(context, geometry, drag, drag.track, paints, drag.kind === 'edge');
}

/** The times of the dragged edges, on the axis. */
function paintDragTimes(context: CanvasRenderingContext2D, geometry: Geometry, drag: Drag, paints: Paints): void {
  if (drag.kind === 'assign') return;
  if (drag.kind === 'add' || drag.edge === 'start') flag(context, geometry, xOf(geometry, drag.startSeconds), clock(drag.startSeconds, 2), paints);
  if (drag.kind === 'add' || drag.edge === 'end') flag(context, geometry, xOf(geometry, drag.endSeconds), clock(drag.endSeconds, 2), paints);
}

function paintPointer(context: CanvasRenderingContext2D, geometry: Geometry, pointer: number, paints: Paints): void {
  const seconds = secondsAt(geometry, pointer);
  if (seconds < 0 || seconds > geometry.durationSeconds) return;
  const x = Math.round(pointer);
  context.fillStyle = paints.muted;
  for (const { top, bottom } of tracksOf(geometry)) context.fillRect(x, top, 1, bottom - top);
  flag(context, geometry, x, clock(seconds, geometry.secondsPerPixel < 0.02 ? 2 : 1), paints);
}

function paintPlayhead(context: CanvasRenderingContext2D, geometry: Geometry, position: number, paints: Paints): void {
  const x = Math.round(xOf(geometry, position));
  if (x < -6 || x > geometry.width + 6) return;
  // A halo in the surface color keeps the line readable on any bar.
  context.globalAlpha = 0.75;
  context.fillStyle = paints.surface;
  const tracks = tracksOf(geometry);
  for (const { top, bottom } of tracks) context.fillRect(x - 2, top, 5, bottom - top);
  context.globalAlpha = 1;
  context.fillStyle = paints.ink;
  context.fillRect(x - 0.75, geometry.axisHeight - 6, 2, 6);
  for (const { top, bottom } of tracks) context.fillRect(x - 0.75, top, 2, bottom - top);
  context.beginPath();
  context.moveTo(x - 6, geometry.axisHeight - 14);
  context.lineTo(x + 6.5, geometry.axisHeight - 14);
  context.lineTo(x + 6.5, geometry.axisHeight - 9);
  context.lineTo(x + 0.25, geometry.axisHeight - 2);
  context.lineTo(x - 6, geometry.axisHeight - 9);
  context.fill();
}

function flag(context: CanvasRenderingContext2D, geometry: Geometry, x: number, label: string, paints: Paints): void {
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
