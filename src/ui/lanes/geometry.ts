import { TOUCH_PIXELS } from '../touch';

/** Where things lie on the canvas, in CSS pixels. Shared by the painter and the hit test, so that they agree. */
export interface Geometry {
  readonly width: number;
  readonly height: number;
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

/** Where the first lane begins. */
export const lanesTop = (geometry: Geometry): number => geometry.axisHeight + geometry.waveHeight;

/** Where a lane's bars begin. */
export const barTopOf = (geometry: Geometry, lane: number): number =>
  lanesTop(geometry) + lane * geometry.laneHeight + geometry.barTop;

/** What a line through all lanes may cover, from top to bottom: the waveform and the tracks, but no label. */
export function tracksOf(geometry: Geometry): readonly { readonly top: number; readonly bottom: number }[] {
  const { height, labelHeight, laneHeight } = geometry;
  const first = lanesTop(geometry);
  if (labelHeight === 0) return [{ top: geometry.axisHeight, bottom: height }];
  const numLanes = Math.round((height - first) / laneHeight);
  const lanes = Array.from({ length: numLanes }, (_, lane) => ({
    top: first + lane * laneHeight + labelHeight,
    bottom: first + (lane + 1) * laneHeight,
  }));
  return first > geometry.axisHeight ? [{ top: geometry.axisHeight, bottom: first }, ...lanes] : lanes;
}

/** Index of the lane under a point, null on the axis and on the waveform. It can be beyond the last lane. */
export function laneAt(geometry: Geometry, y: number): number | null {
  return y < lanesTop(geometry) ? null : Math.floor((y - lanesTop(geometry)) / geometry.laneHeight);
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
