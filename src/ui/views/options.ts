import type { Scope } from '../../util/scope';
import { h } from '../dom';
import type { ModelsState } from '../models/state';
import { presetChoice } from '../models/views/presetChoice';
import { optionsProblem, type RunOptions, type SpeakerMode } from '../state';
import { text } from '../text';
import { speedChoice } from './speedChoice';
import type { BackendChoice } from '../../pipeline/types';

type NumberKey = 'exact' | 'min' | 'max';

/** The controls in the disclosure. They hold no state of their own: what is typed goes out, what is stored comes in. */
export function optionsPanel(
  scope: Scope,
  initial: RunOptions,
  onChange: (options: Partial<RunOptions>) => void,
  onFiles: (files: Iterable<File>) => void,
  onCheckGpu: () => void,
): { readonly element: HTMLElement; readonly update: (options: RunOptions, models: ModelsState) => void } {
  const numbers = new Map<NumberKey, HTMLInputElement>();
  const number = (key: NumberKey, mode: SpeakerMode): HTMLInputElement => {
    const input = h('input', {
      type: 'number',
      class: 'number',
      min: 1,
      max: 255,
      step: 1,
      value: initial[key],
      inputmode: 'numeric',
      'aria-label': text.options[key],
    });
    scope.on(input, 'input', () => {
      onChange({ [key]: input.valueAsNumber, speakerMode: mode });
    });
    numbers.set(key, input);
    return input;
  };

  const modes: HTMLInputElement[] = [];
  const modeRow = (mode: SpeakerMode, ...controls: (Node | string)[]): HTMLElement => {
    const radio = h('input', { type: 'radio', name: 'speaker-mode', value: mode });
    scope.on(radio, 'change', () => {
      onChange({ speakerMode: mode });
    });
    modes.push(radio);
    return h(
      'div',
      { class: 'choice' },
      h('label', {}, radio, h('span', {}, text.options.mode[mode])),
      ...controls,
    );
  };

  const backends: HTMLInputElement[] = [];
  const backendRow = (backend: BackendChoice): HTMLElement => {
    const radio = h('input', { type: 'radio', name: 'backend', value: backend });
    scope.on(radio, 'change', () => {
      onChange({ backend });
    });
    backends.push(radio);
    return h('div', { class: 'choice' }, h('label', {}, radio, h('span', {}, text.options.backends[backend])));
  };

  const presets = presetChoice(
    scope,
    (preset) => {
      onChange({ preset });
    },
    onFiles,
  );
  const checkGpu = h('button', { type: 'button', class: 'link-button', 'data-testid': 'check-gpu' }, text.options.checkGpu);
  scope.on(checkGpu, 'click', onCheckGpu);
  const speeds = speedChoice(scope, (speed) => {
    onChange({ speed });
  });
  const element = h(
    'div',
    { class: 'options__panel' },
    presets.element,
    speeds.element,
    h(
      'fieldset',
      {},
      h('legend', {}, text.options.speakers),
      modeRow('auto'),
      modeRow('exact', number('exact', 'exact')),
      modeRow('range', number('min', 'range'), h('span', {}, text.options.and), number('max', 'range')),
    ),
    h(
      'fieldset',
      {},
      h('legend', {}, text.options.backend),
      backendRow('auto'),
      backendRow('webgpu'),
      backendRow('wasm'),
      h('p', { class: 'fine' }, text.options.backendHint),
      checkGpu,
    ),
  );

  return {
    element,
    update(options, models) {
      presets.update(options, models);
      speeds.update(options);
      for (const radio of modes) radio.checked = radio.value === options.speakerMode;
      for (const radio of backends) radio.checked = radio.value === options.backend;
      const problem = optionsProblem(options);
      for (const [key, input] of numbers) {
        const value = options[key];
        // A field that is being typed in is left alone: an empty one is a number on its way, not an error to repair.
        if (input !== document.activeElement && !Number.isNaN(value)) input.value = String(value);
        const applies = (key === 'exact') === (options.speakerMode === 'exact');
        const wrong = problem !== null && applies && options.speakerMode !== 'auto';
        input.setAttribute('aria-invalid', String(wrong));
      }
    },
  };
}
