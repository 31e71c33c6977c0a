import type { Scope } from '../../../util/scope';
import { h, setText } from '../../dom';
import type { PresetChoice } from '../../engine';
import { fileButton } from '../../fileButton';
import type { RunOptions } from '../../state';
import { text } from '../../text';
import { isCommunityReady, type ModelsState } from '../state';

const CHOICES = ['auto', 'campplus', 'community-1'] as const satisfies readonly PresetChoice[];

/** The choice of preset, each with what it is, what it costs and under which licence. */
export function presetChoice(
  scope: Scope,
  onChoose: (preset: PresetChoice) => void,
  onFiles: (files: Iterable<File>) => void,
): { readonly element: HTMLElement; readonly update: (options: RunOptions, models: ModelsState) => void } {
  const rows = CHOICES.map((preset) => {
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
  const element = h(
    'fieldset',
    { class: 'choice-rows' },
    h('legend', {}, text.models.preset),
    ...rows.map((row) => row.element),
    fileButton(scope, text.models.chooseFile, onFiles, {
      accept: '.onnx',
      isMultiple: false,
      isFolder: false,
      isPrimary: false,
      testId: 'model-file-input',
    }),
  );
  return {
    element,
    update(options, models) {
      for (const { preset, radio, facts } of rows) {
        radio.checked = options.preset === preset;
        setText(facts, factsOf(preset, models));
        facts.hidden = facts.textContent === '';
      }
    },
  };
}

/** Size and licence; empty where there is nothing to say, or nothing known. */
function factsOf(preset: PresetChoice, models: ModelsState): string {
  const known = models.presets?.find(({ id }) => id === preset);
  if (!known) return '';
  if (known.bytes === 0) return text.models.comesAlong(known.licence);
  return isCommunityReady(models) ? text.models.isHere(known.licence) : text.models.toDownload(known.bytes, known.licence);
}
