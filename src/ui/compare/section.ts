import type { Scope } from '../../util/scope';
import type { ShippedModel } from '../../store/shipped';
import type { ThemeControl } from '../theme';
import type { Filter, Look, RunChoice, State } from './state';
import type { ToleranceField } from './tolerances';

/** What a person can do, apart from how the panel carries it out. */
export interface Actions {
  readonly open: (files: Iterable<File>) => void;
  readonly openShipped: (model: ShippedModel) => void;
  readonly mapStage: (stage: string, value: string) => void;
  readonly choose: (choice: Partial<RunChoice>) => void;
  readonly compare: () => void;
  readonly bisect: () => void;
  readonly audit: () => void;
  readonly cancel: () => void;
  readonly look: (look: Partial<Look>) => void;
  readonly filter: (filter: Partial<Filter>) => void;
  /** Shows a stage: its row in the table, and its details. */
  readonly goTo: (stage: string) => void;
  /** `stage`: null for all. */
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

/** A part of the panel. It hides itself where the state has nothing for it. */
export interface Section {
  readonly element: HTMLElement;
  readonly update: (state: State) => void;
}

/** Calls `render` only where something that it depends on has changed, so that a tick of progress costs nothing. */
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
