import type { Scope } from '../../util/scope';
import { h, setText } from '../dom';
import { decimal } from '../format';

/** From one position of the slider to the next. */
const STEP_SECONDS = 0.05;

export interface DurationSlider {
  readonly element: HTMLElement;
  /** The value that is shown. */
  readonly seconds: number;
  show(seconds: number): void;
}

/**
 * A slider for a minimum duration.
 *
 * @param name last part of its test ids
 * @param onInput called when a person moves it
 */
export function createDurationSlider(
  scope: Scope,
  { name, words, maxSeconds, onInput }: {
    readonly name: string;
    readonly words: { readonly label: string; readonly hint: string; readonly value: (seconds: string) => string };
    readonly maxSeconds: number;
    readonly onInput: () => void;
  },
): DurationSlider {
  const hintId = `count-${name}-hint`;
  const slider = h('input', {
    type: 'range',
    min: 0,
    max: maxSeconds,
    step: STEP_SECONDS,
    class: 'count__slider',
    'aria-describedby': hintId,
    'data-testid': `count-min-duration-${name}`,
  });
  const number = h('output', { class: 'count__duration', 'aria-hidden': 'true' });
  const element = h(
    'label',
    { class: 'count__duration-row' },
    h('span', { class: 'count__duration-label' }, words.label),
    slider,
    number,
    h('span', { class: 'fine', id: hintId }, words.hint),
  );
  // The exact value of a run, which can lie between two positions of the slider.
  let seconds = 0;
  const update = (): void => {
    const text = words.value(decimal(seconds, 2));
    slider.setAttribute('aria-valuetext', text);
    setText(number, text);
  };
  scope.on(slider, 'input', () => {
    seconds = Number(slider.value);
    update();
    onInput();
  });
  return {
    element,
    get seconds() {
      return seconds;
    },
    show(next) {
      seconds = next;
      // A run can have asked for more.
      slider.max = String(Math.max(maxSeconds, Math.ceil(next)));
      slider.value = String(next);
      update();
    },
  };
}
