import type { Annotation, Edit } from './annotation';
import { applyEdit } from './applyEdit';
import { applyPatch, inverse, patchBetween, type Patch } from './patch';
import { checkPlainHistory, type PlainHistory } from './plainHistory';

/** One correction in a {@link History}. */
export interface HistoryStep {
  readonly type: Edit['type'];
  readonly patch: Patch;
}

/**
 * An annotation with every correction that led to it: undo and redo go back and forth without limit, to the very bytes.
 * A step takes as much memory as it changed, and time in proportion to the turns.
 */
export class History {
  #annotation: Annotation;
  /** The latest last. */
  #done: HistoryStep[] = [];
  /** The one that was taken back latest last. */
  #undone: HistoryStep[] = [];

  constructor(annotation: Annotation) {
    this.#annotation = annotation;
  }

  /**
   * @param value what {@link toPlain} gave, after a way through JSON or a database
   * @throws VoxlaneError `format` where it has another form or contradicts itself
   */
  static fromPlain(value: unknown): History {
    const { annotation, done, undone } = checkPlainHistory(value);
    const history = new History(annotation);
    // Copied whole: `push(...done)` passes each step as an argument, and a call takes about 100,000 of them.
    history.#done = [...done];
    history.#undone = [...undone];
    return history;
  }

  get annotation(): Annotation {
    return this.#annotation;
  }

  get canUndo(): boolean {
    return this.#done.length > 0;
  }

  get canRedo(): boolean {
    return this.#undone.length > 0;
  }

  /** The step that {@link undo} would take back; null where there is nothing. */
  get stepToUndo(): HistoryStep | null {
    return this.#done.at(-1) ?? null;
  }

  /** The step that {@link redo} would do again; null where there is nothing. */
  get stepToRedo(): HistoryStep | null {
    return this.#undone.at(-1) ?? null;
  }

  /** What {@link undo} would take back; null where there is nothing. */
  get nextUndo(): Edit['type'] | null {
    return this.#done.at(-1)?.type ?? null;
  }

  /** What {@link redo} would do again; null where there is nothing. */
  get nextRedo(): Edit['type'] | null {
    return this.#undone.at(-1)?.type ?? null;
  }

  /**
   * Applies a correction, after which nothing can be redone. One that changes nothing is no step.
   *
   * @returns whether anything changed
   * @throws VoxlaneError `options` where it cannot be (see `applyEdit`); nothing changes then
   */
  apply(edit: Edit): boolean {
    const next = applyEdit(this.#annotation, edit);
    if (next === this.#annotation) return false;
    this.#done.push({ type: edit.type, patch: patchBetween(this.#annotation, next) });
    this.#undone.length = 0;
    this.#annotation = next;
    return true;
  }

  /** @returns whether there was anything to undo */
  undo(): boolean {
    const step = this.#done.pop();
    if (!step) return false;
    this.#annotation = applyPatch(this.#annotation, inverse(step.patch));
    this.#undone.push(step);
    return true;
  }

  /** @returns whether there was anything to redo */
  redo(): boolean {
    const step = this.#undone.pop();
    if (!step) return false;
    this.#annotation = applyPatch(this.#annotation, step.patch);
    this.#done.push(step);
    return true;
  }

  /** The same corrections of a recording that turned out to be longer. */
  lengthened(durationSeconds: number): History {
    const history = new History({ ...this.#annotation, durationSeconds });
    history.#done = [...this.#done];
    history.#undone = [...this.#undone];
    return history;
  }

  /** All of it as plain data, for JSON and databases. Shares the annotation's objects; none of them ever changes. */
  toPlain(): PlainHistory {
    return { version: 1, annotation: this.#annotation, done: [...this.#done], undone: [...this.#undone] };
  }
}
