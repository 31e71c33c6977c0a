import type { Scope } from '../../util/scope';
import type { SpeakerRename } from '../events';
import type { WidgetWords } from '../words';

/** What a person can do, apart from how the element carries it out. */
export interface WidgetActions {
  readonly open: (file: File) => void;
  readonly cancel: () => void;
  readonly retry: () => void;
  /** From a failure to the last result. */
  readonly back: () => void;
  readonly hasResult: () => boolean;
  readonly renamed: (rename: SpeakerRename) => void;
}

/** What every view of the widget is given. */
export interface WidgetContext {
  /** Ends when the widget leaves the view. */
  readonly scope: Scope;
  readonly words: WidgetWords;
  readonly actions: WidgetActions;
  /** Has a screen reader say it. */
  readonly announce: (sentence: string) => void;
  /** Calls back when the colours are others: a canvas must be painted anew. */
  readonly onColours: (scope: Scope, listener: () => void) => void;
}

export interface WidgetView {
  readonly element: HTMLElement;
  /** Takes the focus where the view before it had it. */
  readonly heading: HTMLElement;
}
