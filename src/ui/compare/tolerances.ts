import type { Tolerance } from '../../compare/compare';
import { stageRows } from './selection';
import type { State } from './state';

/** What of a tolerance can be edited in the view. */
export type ToleranceField = 'rtol' | 'maxAbs' | 'cosine';

/** Whether a number can be a tolerance. NaN, from a field that is being edited, cannot; `Infinity` is no absolute bound. */
export function isTolerance(field: ToleranceField, value: number): boolean {
  if (field === 'cosine') return value >= -1 && value <= 1;
  return value >= 0 && (value < Infinity || field === 'maxAbs');
}

/**
 * The edited tolerances after one more edit. A stage that is back at the bundle's is not edited.
 *
 * @param stage null for all stages
 */
export function withTolerance(state: State, stage: string | null, field: ToleranceField, value: number): ReadonlyMap<string, Tolerance> {
  const edited = new Map(state.tolerances);
  for (const { name, tolerance } of stageRows({ ...state, tolerances: new Map() })) {
    if (stage !== null && name !== stage) continue;
    const changed: Tolerance = { ...(edited.get(name) ?? tolerance), [field]: value };
    const next: Tolerance = { ...changed, isMaxAbsStrict: changed.maxAbs !== tolerance.maxAbs };
    if (next.maxAbs === tolerance.maxAbs && next.rtol === tolerance.rtol && next.cosine === tolerance.cosine) edited.delete(name);
    else edited.set(name, next);
  }
  return edited;
}
