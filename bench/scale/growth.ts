/** Shorter recordings are left out of {@link growthExponent}: in them the start of the models and the browser's compiler count. */
const MIN_SECONDS = 180;

export interface GrowthPoint {
  /** Length of the recording. */
  readonly audioSeconds: number;
  /** What it cost. */
  readonly workSeconds: number;
}

/**
 * How the work grows with the recording: p, where the work is like the length to the power of p, fitted by least
 * squares to the logarithms of both. Null where two different lengths of three minutes and more are not there.
 */
export function growthExponent(points: readonly GrowthPoint[]): number | null {
  const used = points.filter(({ audioSeconds, workSeconds }) => audioSeconds >= MIN_SECONDS && workSeconds > 0);
  const xs = used.map(({ audioSeconds }) => Math.log(audioSeconds));
  const ys = used.map(({ workSeconds }) => Math.log(workSeconds));
  const [meanX, meanY] = [mean(xs), mean(ys)];
  const spread = xs.reduce((sum, x) => sum + (x - meanX) ** 2, 0);
  // The mean of equal numbers can be off by a rounding.
  if (!(spread > 1e-12)) return null;
  return xs.reduce((sum, x, i) => sum + (x - meanX) * (ys[i]! - meanY), 0) / spread;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
