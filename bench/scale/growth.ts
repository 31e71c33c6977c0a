/** {@link growthExponent} ignores shorter recordings, because their times depend on model startup and the browser's compiler. */
const MIN_SECONDS = 180;

export interface GrowthPoint {
  /** Length of the recording. */
  readonly audioSeconds: number;
  /** Time of the work. */
  readonly workSeconds: number;
}

/**
 * The exponent p such that the work is proportional to the length to the power of p, fitted by least squares to the
 * logarithms. Null without two different lengths of at least three minutes.
 */
export function growthExponent(points: readonly GrowthPoint[]): number | null {
  const used = points.filter(({ audioSeconds, workSeconds }) => audioSeconds >= MIN_SECONDS && workSeconds > 0);
  const xs = used.map(({ audioSeconds }) => Math.log(audioSeconds));
  const ys = used.map(({ workSeconds }) => Math.log(workSeconds));
  const [meanX, meanY] = [mean(xs), mean(ys)];
  const spread = xs.reduce((sum, x) => sum + (x - meanX) ** 2, 0);
  // The mean of equal numbers can have a rounding error.
  if (!(spread > 1e-12)) return null;
  return xs.reduce((sum, x, i) => sum + (x - meanX) * (ys[i]! - meanY), 0) / spread;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
