/** Where things lie on the canvas, in CSS pixels. Shared by the painter and the hit test, so that they agree. */
export interface Geometry {
  readonly width: number;
  readonly height: number;
  readonly axisHeight: number;
  readonly laneHeight: number;
  /** Space above the bar, inside its lane; on narrow screens it holds the label. */
  readonly barTop: number;
  readonly barHeight: number;
  readonly startSeconds: number;
  readonly secondsPerPixel: number;
  /** Space left of the first and right of the last moment, so that the playhead is whole at both ends. */
  readonly inset: number;
  readonly durationSeconds: number;
}

export const AXIS_HEIGHT = 32;
export const INSET = 8;
/** Narrower than this, the labels lie inside the lanes. */
export const NARROW_PIXELS = 640;

export function laneMetrics(narrow: boolean): Pick<Geometry, 'laneHeight' | 'barTop' | 'barHeight'> {
  return narrow
    ? { laneHeight: 56, barTop: 27, barHeight: 20 }
    : { laneHeight: 44, barTop: 9, barHeight: 26 };
}

export const xOf = (geometry: Geometry, seconds: number): number =>
  geometry.inset + (seconds - geometry.startSeconds) / geometry.secondsPerPixel;

export const secondsAt = (geometry: Geometry, x: number): number =>
  geometry.startSeconds + (x - geometry.inset) * geometry.secondsPerPixel;

/** Index of the lane under a point, null on the axis. */
export function laneAt(geometry: Geometry, y: number): number | null {
  return y < geometry.axisHeight ? null : Math.floor((y - geometry.axisHeight) / geometry.laneHeight);
}
