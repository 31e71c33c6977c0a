import type { Scope } from '../../util/scope';
import { h, setText } from '../dom';

/** Long enough to read a short sentence that was not expected, and what is added for each letter of a long one. */
const LEAST_MS = 8000;
const MS_PER_LETTER = 100;

/** The line that says what a correction did. It lies over the page and takes no space in it. */
export interface StatusLine {
  readonly element: HTMLElement;
  readonly say: (message: string) => void;
  /** Takes the message away: after another change it is no longer about what the page shows. */
  readonly clear: () => void;
}

/** A message goes with the next change of the result, or once there was time to read it. */
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
