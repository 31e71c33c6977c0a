import type { Scope } from '../../util/scope';
import { h, setText } from '../dom';

/** Time to notice and read a short sentence, and additional time per letter. */
const LEAST_MS = 8000;
const MS_PER_LETTER = 100;

/** Reports what a correction did. It overlays the page and takes no space. */
export interface StatusLine {
  readonly element: HTMLElement;
  readonly say: (message: string) => void;
  /** Removes the message. After another change it is outdated. */
  readonly clear: () => void;
}

/** A message disappears with the next change of the result, or after the time to read it. */
export function createStatusLine(scope: Scope): StatusLine {
  const element = h('p', { class: 'studio__status', role: 'status', 'data-testid': 'studio-status' });
  let timer = 0;
  let frame = 0;
  const clear = (): void => {
    clearTimeout(timer);
    cancelAnimationFrame(frame);
    setText(element, '');
  };
  scope.add(clear);
  return {
    element,
    clear,
    say(message) {
      // A screen reader reads the same sentence again only if the line was empty in between.
      clear();
      frame = requestAnimationFrame(() => {
        setText(element, message);
      });
      timer = window.setTimeout(clear, LEAST_MS + MS_PER_LETTER * message.length);
    },
  };
}
