import { TOUCH_PIXELS } from '../dom';

/** Layout of the canvas in CSS pixels. Painter and hit test share it, so that they agree. */
export interface Geometry {
  readonly width: number;
  /** Of the visible part: with many speakers, the tracks scroll below the axis and the waveform. */
  readonly height: number;
  /** How far the tracks are scrolled up; absent if all of them are visible. */
  readonly tracksScrolled?: number;
  /** Number of all tracks; absent if all of them are visible. */
  readonly numTracks?: number;
  readonly axisHeight: number;
  /** Height of the waveform, between the axis and the first track; 0 if there is none. */
  readonly waveHeight: number;
  readonly trackHeight: number;
  /** Height of the label at the top of each track; 0 if labels are beside the tracks. */
  readonly labelHeight: number;
  /** Space above the bar, inside its track. */
  readonly barTop: number;
  readonly barHeight: number;
  readonly startSeconds: number;
  readonly secondsPerPixel: number;
  /** Margin at both ends, so that the playhead is fully visible there. */
  readonly inset: number;
  readonly durationSeconds: number;
}

export const AXIS_HEIGHT = 32;
export const WAVE_HEIGHT = 64;
export const INSET = 8;
/** Below this width, the labels are inside the tracks. */
export const NARROW_PIXELS = 640;

/**
 * @param narrow whether labels are inside the tracks
 * @param pressed whether these labels are touch targets
 */
export function trackMetrics(narrow: boolean, pressed = false): Pick<Geometry, 'trackHeight' | 'labelHeight' | 'barTop' | 'barHeight'> {
  if (!narrow) return { trackHeight: 44, labelHeight: 0, barTop: 9, barHeight: 26 };
  const labelHeight = pressed ? TOUCH_PIXELS + 1 : 25;
  return { trackHeight: labelHeight + 31, labelHeight, barTop: labelHeight + 2, barHeight: 20 };
}

/** What a timeline of the whole recording shows. */
interface WholeTimeline {
  readonly width: number;
  readonly numTracks: number;
  readonly durationSeconds: number;
  /** Default: no waveform. */
  readonly waveHeight?: number;
}

/** Layout of a timeline that shows the whole recording and all tracks. */
export function wholeGeometry(
  metrics: ReturnType<typeof trackMetrics>,
  { width, numTracks, durationSeconds, waveHeight = 0 }: WholeTimeline,
): Geometry {
  return {
    ...metrics,
    width,
    height: AXIS_HEIGHT + waveHeight + numTracks * metrics.trackHeight,
    axisHeight: AXIS_HEIGHT,
    waveHeight,
    startSeconds: 0,
    secondsPerPixel: durationSeconds / Math.max(1, width - 2 * INSET),
    inset: INSET,
    durationSeconds,
  };
}

export const xOf = (geometry: Geometry, seconds: number): number =>
  geometry.inset + (seconds - geometry.startSeconds) / geometry.secondsPerPixel;

export const secondsAt = (geometry: Geometry, x: number): number =>
  geometry.startSeconds + (x - geometry.inset) * geometry.secondsPerPixel;

/** Top of the tracks, below the axis and the waveform. */
export const tracksTop = (geometry: Geometry): number => geometry.axisHeight + geometry.waveHeight;

/** Top of a track: above {@link tracksTop} or below the canvas if it is scrolled out of view. */
export const trackTopOf = (geometry: Geometry, track: number): number =>
  tracksTop(geometry) + track * geometry.trackHeight - (geometry.tracksScrolled ?? 0);

/** Top of a track's bars. */
export const barTopOf = (geometry: Geometry, track: number): number => trackTopOf(geometry, track) + geometry.barTop;

/** The fully or partly visible tracks: from `from` up to, not including, `to`. */
export function visibleTracks(geometry: Geometry): { readonly from: number; readonly to: number } {
  const { height, trackHeight, tracksScrolled = 0, numTracks } = geometry;
  const visible = height - tracksTop(geometry);
  const from = Math.floor(tracksScrolled / trackHeight);
  // The tracks fill the canvas, except for rounding.
  if (numTracks === undefined) return { from, to: Math.round(visible / trackHeight) };
  return { from, to: Math.min(numTracks, Math.ceil((tracksScrolled + visible) / trackHeight)) };
}

/** Vertical ranges of a line through all tracks: the waveform and the tracks, but no label. */
export function tracksOf(geometry: Geometry): readonly { readonly top: number; readonly bottom: number }[] {
  const { height, labelHeight, trackHeight } = geometry;
  const first = tracksTop(geometry);
  if (labelHeight === 0) return [{ top: geometry.axisHeight, bottom: height }];
  const { from, to } = visibleTracks(geometry);
  const tracks = Array.from({ length: to - from }, (_, index) => {
    const top = trackTopOf(geometry, from + index);
    return { top: Math.max(first, top + labelHeight), bottom: Math.max(first, top + trackHeight) };
  });
  return first > geometry.axisHeight ? [{ top: geometry.axisHeight, bottom: first }, ...tracks] : tracks;
}

/** Index of the track under a point, null on the axis and on the waveform. It can be beyond the last track. */
export function trackAt(geometry: Geometry, y: number): number | null {
  if (y < tracksTop(geometry)) return null;
  return Math.floor((y - tracksTop(geometry) + (geometry.tracksScrolled ?? 0)) / geometry.trackHeight);
}

/**
 * The pixels of a segment, clipped to slightly more than the window: a rectangle that begins millions of pixels away
 * loses precision.
 */
export function spanOf(
  geometry: Geometry,
  { startSeconds, endSeconds }: { readonly startSeconds: number; readonly endSeconds: number },
): { readonly left: number; readonly right: number } {
  return {
    left: Math.max(-4, xOf(geometry, startSeconds)),
    right: Math.min(geometry.width + 4, xOf(geometry, endSeconds)),
  };
}
