import { STAGES } from '../../src/engine/stages';
import { growthExponent } from './growth';
import type { LengthFigures } from './measure';

const MEGABYTE = 1e6;
export const MAX_EXPONENT = 1.1;
export const MAX_CLUSTERING_SECONDS = 60;
export const MAX_PEAK_MEGABYTES = 1500;
export const MAX_KEPT_MEGABYTES = 300;
export const MAX_TASK_MS = 50;

/** Exponents of the total time and of the stages whose time must be linear. Clustering is not linear. */
export function linearExponents(lengths: readonly LengthFigures[]): Record<string, number> {
  const entries = Object.entries(exponentsOf(lengths)).filter(([stage, exponent]) => stage !== 'clustering' && exponent !== null);
  return Object.fromEntries(entries) as Record<string, number>;
}

/** Growth exponents of the time of each stage and of the total time, `wall`; null if unknown. */
export function exponentsOf(lengths: readonly LengthFigures[]): Record<string, number | null> {
  const exponentOf = (workSeconds: (figures: LengthFigures) => number) =>
    growthExponent(
      lengths.map((figures) => ({ audioSeconds: figures.durationSeconds, workSeconds: workSeconds(figures) })),
    );
  return {
    ...Object.fromEntries(STAGES.map((stage) => [stage, exponentOf(({ stageSeconds }) => stageSeconds[stage] ?? 0)])),
    wall: exponentOf(({ wallSeconds }) => wallSeconds),
  };
}

/** One line per exceeded limit. */
export function missedBounds(lengths: readonly LengthFigures[]): string[] {
  const missed: string[] = [];
  for (const [stage, exponent] of Object.entries(linearExponents(lengths))) {
    if (exponent <= MAX_EXPONENT) continue;
    missed.push(`${stage}: the time grows with exponent ${exponent.toFixed(2)}, at most ${MAX_EXPONENT} is allowed`);
  }
  for (const { minutes, stageSeconds, memory, longestTaskMs } of lengths) {
    const bound = (what: string, value: number, most: number, unit: string): void => {
      if (value <= most) return;
      missed.push(`${minutes} min: ${what} ${Math.ceil(value)} ${unit}, at most ${most} ${unit} are allowed`);
    };
    bound('clustering took', stageSeconds.clustering ?? 0, MAX_CLUSTERING_SECONDS, 's');
    bound('memory rose to', memory.peak / MEGABYTE, MAX_PEAK_MEGABYTES, 'MB');
    const kept = memory.after - memory.before;
    bound('memory kept after the run', kept / MEGABYTE, MAX_KEPT_MEGABYTES, 'MB');
    bound("a task of the page's thread took", longestTaskMs, MAX_TASK_MS, 'ms');
  }
  return missed;
}
