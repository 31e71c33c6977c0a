import type { PeakPyramid } from '../../audio/peaks';

/** Where a waveform goes, in CSS pixels and seconds. */
export interface WavePlace {
  /** Time at `left`. */
  readonly startSeconds: number;
  readonly secondsPerPixel: number;
  readonly left: number;
  readonly right: number;
  /** Height of silence. */
  readonly middle: number;
  /** How far from the middle the loudest moment reaches. */
  readonly reach: number;
}

/**
 * Loudness that is drawn is amplitude to this power, of the loudest moment: a door that slams does not flatten
 * everyone who speaks, and a distant voice is still seen.
 */
const EXPONENT = 0.7;
/** A recording without a louder moment than this is silence, and is not blown up to look like speech. */
const QUIETEST_LOUDEST = 0.02;
/** Half the width of the line that silence is. */
const LINE = 0.5;

/** Axes (column, [lowest, highest]). Shared by all calls, so that scrolling allocates nothing. */
let columns = new Float32Array(2 * 2048);

/** Fills the shape of what is known of the sound, in the context's colour: one column per CSS pixel. */
export function paintWave(
  context: CanvasRenderingContext2D,
  pyramid: PeakPyramid,
  { startSeconds, secondsPerPixel, left, right, middle, reach }: WavePlace,
): void {
  // Columns lie on a grid that begins with the recording, so that they do not shimmer as they scroll.
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
