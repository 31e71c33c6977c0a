import type { BackendChoice, Speed } from '../../engine/types';
import { h, setText } from '../../ui-kit/dom';
import { fileButton } from '../../ui-kit/files';
import type { Scope } from '../../ui-kit/scope';
import { text } from '../../ui-kit/texts/text';
import { lacks, MODEL_ENDINGS, PRESET_CHOICES, type PresetChoice } from '../models/choices';
import { infoOf, isReady, type ModelsState, offeredPreset } from '../models/state';
import { appliedOptions, optionsProblem, type RunOptions, type SpeakerMode } from '../state';

/** The choice of preset, with description, size, and license. */
function presetChoice(
  scope: Scope,
  onChoose: (preset: PresetChoice) => void,
  onFiles: (files: Iterable<File>) => void,
  onOffer: () => void,
): { readonly element: HTMLElement; readonly update: (options: RunOptions, models: ModelsState) => void } {
  const rows = PRESET_CHOICES.map((preset) => {
    const facts = h('span', { class: 'choice-row__facts', id: `preset-facts-${preset}` });
    const radio = h('input', {
      type: 'radio',
      name: 'preset',
      value: preset,
      'data-testid': `preset-${preset}`,
      'aria-describedby': `preset-line-${preset} ${facts.id}`,
    });
    scope.on(radio, 'change', () => {
      onChoose(preset);
    });
    const element = h(
      'label',
      { class: 'choice-row' },
      radio,
      h('span', { class: 'choice-row__name' }, text.models.presets[preset]),
      h('span', { class: 'choice-row__line', id: `preset-line-${preset}` }, text.models.presetLines[preset]),
      facts,
    );
    return { preset, radio, facts, element };
  });
  // The offer is above the options, and out of view on a phone.
  const toOffer = h('button', { type: 'button', class: 'link-button', 'data-testid': 'to-offer', hidden: true }, text.models.toOffer);
  scope.on(toOffer, 'click', onOffer);
  const element = h(
    'fieldset',
    { class: 'choice-rows' },
    h('legend', {}, text.models.preset),
    ...rows.map((row) => row.element),
    toOffer,
    fileButton(scope, text.models.chooseFile, onFiles, {
      accept: MODEL_ENDINGS.join(','),
      isMultiple: false,
      isFolder: false,
      isPrimary: false,
      testId: 'model-file-input',
    }),
  );
  return {
    element,
    update(options, models) {
      toOffer.hidden = offeredPreset(models, options.preset) !== options.preset;
      for (const { preset, radio, facts, element: row } of rows) {
        // A server of an earlier release may lack the model.
        row.hidden = preset !== 'auto' && models.presets !== null && infoOf(models, preset) === null;
        radio.checked = options.preset === preset;
        setText(facts, factsOf(preset, models));
        facts.hidden = facts.textContent === '';
      }
    },
  };
}

/** Size and license; empty if there are none or they are unknown. */
function factsOf(preset: PresetChoice, models: ModelsState): string {
  const known = infoOf(models, preset);
  if (!known) return '';
  if (known.bytes === 0) return text.models.comesAlong(known.license);
  return isReady(models, preset) ? text.models.isHere(known.license) : text.models.toDownload(known.bytes, known.license);
}

const SPEEDS = ['exact', 'fast'] as const satisfies readonly Speed[];

/** The choice between exact and fast, with description and cost. */
function speedChoice(
  scope: Scope,
  onChoose: (speed: Speed) => void,
): { readonly element: HTMLElement; readonly update: (options: RunOptions) => void } {
  const rows = SPEEDS.map((speed) => {
    const { what, cost } = text.options.speedCost[speed];
    const line = h('span', { class: 'choice-row__line', id: `speed-line-${speed}` }, what);
    const facts = h('span', { class: 'choice-row__facts', id: `speed-facts-${speed}` }, cost);
    const radio = h('input', {
      type: 'radio',
      name: 'speed',
      value: speed,
      'data-testid': `speed-${speed}`,
      'aria-describedby': `${line.id} ${facts.id}`,
    });
    scope.on(radio, 'change', () => {
      onChoose(speed);
    });
    const element = h(
      'label',
      { class: 'choice-row' },
      radio,
      h('span', { class: 'choice-row__name' }, text.options.speeds[speed]),
      line,
      facts,
    );
    return { speed, radio, line, facts, element };
  });
  return {
    element: h(
      'fieldset',
      { class: 'choice-rows' },
      h('legend', {}, text.options.speed),
      ...rows.map((row) => row.element),
    ),
    update(options) {
      const isFixed = lacks(options.preset, 'fast');
      for (const { speed, radio, line, facts } of rows) {
        const { what, cost } = text.options.speedCost[speed];
        radio.checked = appliedOptions(options).speed === speed;
        radio.disabled = isFixed && speed === 'fast';
        setText(line, isFixed ? text.options.lacking[speed](options.preset) : what);
        setText(facts, isFixed ? '' : cost);
      }
    },
  };
}

type NumberKey = 'exact' | 'min' | 'max';

/** The controls of the options. They hold no state: input is dispatched, and the stored options are shown. */
export function optionsPanel(
  scope: Scope,
  initial: RunOptions,
  onChange: (options: Partial<RunOptions>) => void,
  onFiles: (files: Iterable<File>) => void,
  onCheckGpu: () => void,
  onOffer: () => void,
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
    onOffer,
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
        // Do not overwrite a field while the user is typing: an empty field may be an incomplete number.
        if (input !== document.activeElement && !Number.isNaN(value)) input.value = String(value);
        const applies = (key === 'exact') === (options.speakerMode === 'exact');
        const wrong = problem !== null && applies && options.speakerMode !== 'auto';
        input.setAttribute('aria-invalid', String(wrong));
      }
    },
  };
}
