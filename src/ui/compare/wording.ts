import type { ErrorQuantiles, StageReport, WorstValue } from '../../compare/report';
import { exactFigure, figure, NONE, secondsText } from './figures';
import { BACKENDS, type StageRow } from './selection';
import { text } from './text';

/** `channel 12, frame 331`, without the axes that have but one index. */
export function placeText(index: readonly number[], axes: readonly string[], shape: readonly number[]): string {
  const { unnamedAxis, onlyValue } = text.detail;
  const parts = index.flatMap((at, axis) => (shape[axis] === 1 ? [] : [`${axes[axis] ?? unnamedAxis(axis)} ${at}`]));
  return parts.join(', ') || onlyValue;
}

/** `channel 12, frame 331 · 5.620 s`. */
export function worstText(worst: WorstValue | null, axes: readonly string[], shape: readonly number[]): string {
  if (!worst) return NONE;
  const place = placeText(worst.index, axes, shape);
  return worst.seconds === null ? place : `${place} · ${secondsText(worst.seconds)}`;
}

/** The same with both values; empty where nothing was measured. `names`: of the golden side and of ours. */
export function worstSentence(
  worst: WorstValue | null,
  { axes, shape }: Pick<StageReport, 'axes' | 'shape'>,
  names: readonly [golden: string, ours: string],
): string {
  if (!worst) return '';
  const values = `${names[0]} ${exactFigure(worst.golden)}, ${names[1]} ${exactFigure(worst.actual)}`;
  return text.detail.worst(worstText(worst, axes, shape), values);
}

/** `Errors: 50 % ≤ 1e-6, 90 % ≤ 2e-6, 99 % ≤ 5e-6`; empty if nothing was measured. */
export function quantilesText(quantiles: ErrorQuantiles | null): string {
  return quantiles ? text.detail.quantiles(figure(quantiles.median), figure(quantiles.p90), figure(quantiles.p99)) : '';
}

/** The most telling cause of a stage in one line; null where none is known. */
export function causeSentence(row: StageRow | undefined): string | null {
  const cause = BACKENDS.flatMap((backend) => row?.[backend]?.causes ?? [])[0];
  return cause ? `${text.causes.names[cause.id][0]}: ${cause.evidence}` : null;
}
