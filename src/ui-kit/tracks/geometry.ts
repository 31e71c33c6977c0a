import { TOUCH_PIXELS } from '../dom';

/** Where things lie on the canvas, in CSS pixels. Shared by the painter and the hit test, so that they agree. */
export interface Geometry {
  readonly width: number;
  /** Of the visible part: with many speakers, the lanes scroll below the axis and the waveform. */
  readonly height: number;
  /** How far the lanes are scrolled up; absent if all of them are visible. */
  readonly lanesScrolled?: number;
  /** Number of all lanes; absent if all of them are visible. */
  readonly numLanes?: number;
  readonly axisHeight: number;
  /** Height of the waveform, between the axis and the first lane; 0 where there is none. */
  readonly waveHeight: number;
  readonly laneHeight: number;
  /** Height of the label at the top of each lane; 0 where labels are beside the lanes. */
  readonly labelHeight: number;
  /** Space above the bar, inside its lane. */
  readonly barTop: number;
  readonly barHeight: number;
  readonly startSeconds: number;
  readonly secondsPerPixel: number;
  /** Space left of the first and right of the last moment, so that the playhead is whole at both ends. */
  readonly inset: number;
  readonly durationSeconds: number;
}

export const AXIS_HEIGHT = 32;
export const WAVE_HEIGHT = 64;
export const INSET = 8;
/** Narrower than this, the labels lie inside the lanes. */
export const NARROW_PIXELS = 640;

/**
 * @param narrow whether labels are inside the lanes
 * @param pressed whether a label there is to be pressed by a finger
 */
export function laneMetrics(narrow: boolean, pressed = false): Pick<Geometry, 'laneHeight' | 'labelHeight' | 'barTop' | 'barHeight'> {
  if (!narrow) return { laneHeight: 44, labelHeight: 0, barTop: 9, barHeight: 26 };
  const labelHeight = pressed ? TOUCH_PIXELS + 1 : 25;
  return { laneHeight: labelHeight + 31, labelHeight, barTop: labelHeight + 2, barHeight: 20 };
}

export const xOf = (geometry: Geometry, seconds: number): number =>
  geometry.inset + (seconds - geometry.startSeconds) / geometry.secondsPerPixel;

export const secondsAt = (geometry: Geometry, x: number): number =>
  geometry.startSeconds + (x - geometry.inset) * geometry.secondsPerPixel;

/** Where the lanes begin, below the axis and the waveform. */
export const lanesTop = (geometry: Geometry): number => geometry.axisHeight + geometry.waveHeight;

/** Where a lane begins: above {@link lanesTop} or below the canvas if it is scrolled out of view. */
export const laneTopOf = (geometry: Geometry, lane: number): number =>
  lanesTop(geometry) + lane * geometry.laneHeight - (geometry.lanesScrolled ?? 0);

/** Where a lane's bars begin. */
export const barTopOf = (geometry: Geometry, lane: number): number => laneTopOf(geometry, lane) + geometry.barTop;

/** The lanes that are visible, in whole or in part: from `from` up to, not including, `to`. */
export function visibleLanes(geometry: Geometry): { readonly from: number; readonly to: number } {
  const { height, laneHeight, lanesScrolled = 0, numLanes } = geometry;
  const visible = height - lanesTop(geometry);
  const from = Math.floor(lanesScrolled / laneHeight);
  // The lanes fill the canvas, apart from rounding.
  if (numLanes === undefined) return { from, to: Math.round(visible / laneHeight) };
  return { from, to: Math.min(numLanes, Math.ceil((lanesScrolled + visible) / laneHeight)) };
}

/** What a line through all lanes may cover, from top to bottom: the waveform and the tracks, but no label. */
export function tracksOf(geometry: Geometry): readonly { readonly top: number; readonly bottom: number }[] {
  const { height, labelHeight, laneHeight } = geometry;
  const first = lanesTop(geometry);
  if (labelHeight === 0) return [{ top: geometry.axisHeight, bottom: height }];
  const { from, to } = visibleLanes(geometry);
  const lanes = Array.from({ length: to - from }, (_, index) => {
    const top = laneTopOf(geometry, from + index);
    return { top: Math.max(first, top + labelHeight), bottom: Math.max(first, top + laneHeight) };
  });
  return first > geometry.axisHeight ? [{ top: geometry.axisHeight, bottom: first }, ...lanes] : lanes;
}

/** Index of the lane under a point, null on the axis and on the waveform. It can be beyond the last lane. */
export function laneAt(geometry: Geometry, y: number): number | null {
  if (y < lanesTop(geometry)) return null;
  return Math.floor((y - lanesTop(geometry) + (geometry.lanesScrolled ?? 0)) / geometry.laneHeight);
}

/** The pixels of a stretch that lie in the window, or just beside it: a rectangle that begins millions of pixels away loses precision. */
export function spanOf(
  geometry: Geometry,
  { startSeconds, endSeconds }: { readonly startSeconds: number; readonly endSeconds: number },
): { readonly left: number; readonly right: number } {
  return {
    left: Math.max(-4, xOf(geometry, startSeconds)),
    right: Math.min(geometry.width + 4, xOf(geometry, endSeconds)),
  };
}
