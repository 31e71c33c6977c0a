import type { Tolerance } from '../compare/compare';
import type { ShippedModel } from '../store/manifest';
import type { ThemeControl } from '../ui-kit/pageFrame';
import type { Scope } from '../ui-kit/scope';
import type { WeightsForm } from '../weights/convert';
import { type Filter, type Look, type RunChoice, stageRows, type State } from './state';

/** The fields of a tolerance that can be edited in the view. */
export type ToleranceField = 'rtol' | 'maxAbs' | 'cosine';

/** Whether a number is a valid tolerance. NaN, from an incomplete input, is not; `Infinity` means no absolute bound. */
export function isTolerance(field: ToleranceField, value: number): boolean {
  if (field === 'cosine') return value >= -1 && value <= 1;
  return value >= 0 && (value < Infinity || field === 'maxAbs');
}

/**
 * Returns the edited tolerances after another edit. A stage that is back at the bundle's tolerance does not count as edited.
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

/** The user's actions, independent of their implementation. */
export interface Actions {
  readonly open: (files: Iterable<File>) => void;
  readonly openShipped: (model: ShippedModel) => void;
  readonly mapStage: (stage: string, value: string) => void;
  readonly selectStep: (index: number) => void;
  readonly chooseForm: (form: WeightsForm) => void;
  readonly choose: (choice: Partial<RunChoice>) => void;
  readonly compare: () => void;
  readonly bisect: () => void;
  readonly audit: () => void;
  readonly cancel: () => void;
  readonly look: (look: Partial<Look>) => void;
  readonly filter: (filter: Partial<Filter>) => void;
  /** Shows a stage: its table row and its details. */
  readonly goTo: (stage: string) => void;
  /** `stage`: null for all stages. */
  readonly setTolerance: (stage: string | null, field: ToleranceField, value: number) => void;
  readonly resetTolerances: () => void;
  readonly toggleFlagged: (onlyFlagged: boolean) => void;
  readonly saveReport: () => void;
  readonly saveBugReport: () => void;
  readonly print: () => void;
  readonly dismissFailure: () => void;
  readonly reset: () => void;
}

export interface SectionContext {
  readonly scope: Scope;
  readonly actions: Actions;
  readonly theme: ThemeControl;
}

/** A section of the panel. It hides itself if there is nothing to show. */
export interface Section {
  readonly element: HTMLElement;
  readonly update: (state: State) => void;
}

/** Calls `render` only if one of its dependencies has changed, to make progress updates cheap. */
export function whenChanged(
  dependencies: (state: State) => readonly unknown[],
  render: (state: State) => void,
): (state: State) => void {
  let before: readonly unknown[] | null = null;
  return (state) => {
    const now = dependencies(state);
    if (before?.every((value, index) => Object.is(value, now[index]))) return;
    before = now;
    render(state);
  };
}
