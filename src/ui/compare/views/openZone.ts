import { SHIPPED_MODELS, type ShippedModel } from '../../../store/shipped';
import { h } from '../../dom';
import { fileButton, type FileButtonOptions } from '../../fileButton';
import { button } from '../controls';
import type { Section, SectionContext } from '../section';
import { text } from '../text';

/** Any file: what it is, its bytes say. Phones do not know the extensions, and would offer none of the files. */
const FILES: FileButtonOptions = { accept: '', isMultiple: true, isFolder: false, isPrimary: true, testId: 'file-input' };
const FOLDER: FileButtonOptions = { ...FILES, isFolder: true, isPrimary: false, testId: 'folder-input' };

/** A still life of a result: stages that agree, the first that does not, and those after it. */
const GHOST = ['pass', 'pass', 'pass', 'fail', 'after', 'after', 'after'] as const;

/** What is there before anything is opened. */
export function openZone({ scope, actions }: SectionContext): Section {
  const models = (Object.keys(SHIPPED_MODELS) as ShippedModel[]).map((model) =>
    button(
      scope,
      { 'data-testid': `shipped-${model}` },
      () => {
        actions.openShipped(model);
      },
      text.empty.models[model],
    ),
  );
  const { empty } = text;
  const element = h(
    'section',
    { class: 'drop-zone', 'data-testid': 'drop-zone' },
    h('div', { class: 'ghost chain', 'aria-hidden': 'true' }, ...GHOST.map((kind) => h('span', { class: `chain__stage chain__stage--${kind}` }))),
    h(
      'div',
      { class: 'drop-zone__body' },
      h('h2', { class: 'drop-zone__heading' }, empty.heading),
      h('p', { class: 'drop-zone__lead' }, empty.lead),
      h(
        'div',
        { class: 'button-row' },
        fileButton(scope, empty.choose, actions.open, FILES),
        fileButton(scope, empty.folder, actions.open, FOLDER),
      ),
      h('p', { class: 'fine', id: 'shipped-models' }, empty.shipped),
      h('div', { class: 'button-row button-row--tight', role: 'group', 'aria-labelledby': 'shipped-models' }, ...models),
    ),
    h(
      'dl',
      { class: 'drop-zone__facts' },
      ...empty.facts.map(([name, value]) => h('div', {}, h('dt', { class: 'legend' }, name), h('dd', {}, value))),
    ),
  );
  return {
    element,
    update({ opened, job }) {
      element.hidden = opened !== null || job !== null;
    },
  };
}
