import type { StoredFileInfo } from '../../engine/storedFiles';
import type { Scope } from '../../ui-kit/scope';
import { h, setText } from '../../ui-kit/dom';
import { problemOf } from '../../ui-kit/failure';
import { text } from '../../ui-kit/texts/text';
import type { Actions } from '../view';
import type { ModelsState } from './state';

type Deleting = Pick<Actions, 'askDeletion' | 'deleteModel' | 'dropOriginal'>;

/** The stored files of one model: the original, and what was converted from it. */
interface StoredModel {
  readonly id: string;
  /** At least one, newest first. */
  readonly files: readonly [StoredFileInfo, ...StoredFileInfo[]];
  readonly bytes: number;
  /** The original, if a converted file makes it unnecessary. */
  readonly spare: StoredFileInfo | null;
}

function modelsOf(stored: readonly StoredFileInfo[]): StoredModel[] {
  const byId = new Map<string, [StoredFileInfo, ...StoredFileInfo[]]>();
  for (const file of stored) byId.set(file.id, [...(byId.get(file.id) ?? []), file] as [StoredFileInfo, ...StoredFileInfo[]]);
  return Array.from(byId, ([id, files]) => ({
    id,
    files,
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    spare: files.some(({ isConverted }) => isConverted) ? (files.find(({ isConverted }) => !isConverted) ?? null) : null,
  }));
}

/** The models stored in this browser, with license, size, and deletion. */
export function storedModels(
  scope: Scope,
  actions: Deleting,
): { readonly element: HTMLElement; readonly update: (models: ModelsState) => void } {
  const { stored: words } = text.models;
  const heading = h('h3', { class: 'stored__heading', tabindex: -1 }, words.heading);
  const summary = h('p', { class: 'fine', 'data-testid': 'stored-total' });
  const list = h('ul', { class: 'stored__list' });
  const element = h('section', { class: 'stored', 'data-testid': 'stored-models' }, heading, summary, list);
  let rowScope = scope.child();
  let shown: Pick<ModelsState, 'stored' | 'deletionOf'> | null = null;

  return {
    element,
    update(models) {
      const { stored, deletionOf, listFailure, preparing } = models;
      setText(summary, summaryOf(models));
      summary.hidden = stored === null && listFailure === null;
      if (shown?.stored !== stored || shown.deletionOf !== deletionOf) {
        const hadFocus = list.contains(document.activeElement);
        const before = shown?.deletionOf ?? null;
        shown = { stored, deletionOf };
        rowScope.dispose();
        rowScope = scope.child();
        list.replaceChildren(
          ...modelsOf(stored ?? []).map((model) =>
            deletionOf === model.id ? confirmRow(rowScope, model, bytesToFetch(models, model), actions) : modelRow(rowScope, model, actions),
          ),
        );
        if (hadFocus) (list.querySelector<HTMLElement>(focusAfter(deletionOf, before)) ?? heading).focus();
      }
      // The model in preparation may be this one.
      for (const button of list.querySelectorAll('button')) button.disabled = preparing !== null;
    },
  };
}

/** Size of the download that would replace a model. */
const bytesToFetch = ({ presets }: ModelsState, { id, bytes }: StoredModel): number => presets?.find(({ model }) => model === id)?.bytes ?? bytes;

/** The clicked button is gone: the focus moves to the question and back afterward. */
const focusAfter = (asked: string | null, askedBefore: string | null): string =>
  asked === null ? `[data-testid="delete-model-${CSS.escape(askedBefore ?? '')}"]` : '[data-testid="confirm-delete"]';

function summaryOf({ stored, listFailure }: ModelsState): string {
  const { stored: words } = text.models;
  if (listFailure) return words.unknown(problemOf(listFailure));
  if (!stored || stored.length === 0) return words.none;
  return words.total(
    modelsOf(stored).length,
    stored.reduce((sum, { bytes }) => sum + bytes, 0),
  );
}

function row({ id, files, bytes }: StoredModel, ...controls: Node[]): HTMLElement {
  const { stored: words } = text.models;
  const [{ license, storedAt }] = files;
  const facts = [words.size(bytes), words.license(license), words.since(storedAt)].join(' · ');
  const names = files.map(({ file, bytes: ofFile }) => (files.length === 1 ? file : `${file} (${words.size(ofFile)})`));
  return h(
    'li',
    { class: 'stored__model', 'data-testid': `stored-model-${id}` },
    h('div', { class: 'stored__text' }, h('span', {}, id), ...names.map((name) => h('span', { class: 'fine mono' }, name)), h('span', { class: 'fine' }, facts)),
    ...controls,
  );
}

function button(scope: Scope, label: string, testId: string, name: string, onClick: () => void): HTMLElement {
  const element = h('button', { type: 'button', class: 'button', 'data-testid': testId, 'aria-label': name }, label);
  scope.on(element, 'click', onClick);
  return element;
}

function modelRow(scope: Scope, model: StoredModel, { askDeletion, dropOriginal }: Deleting): HTMLElement {
  const { stored: words } = text.models;
  const { id, spare } = model;
  const remove = button(scope, words.remove, `delete-model-${id}`, words.removeLabel(id), () => {
    askDeletion(id);
  });
  if (!spare) return row(model, remove);
  const drop = button(scope, words.original(spare.bytes), `drop-original-${id}`, words.originalLabel(id, spare.bytes), () => {
    dropOriginal(id);
  });
  return row(model, h('div', { class: 'button-row' }, drop, remove));
}

/** Asks in place instead of in a dialog, which would cover the model in question. */
function confirmRow(scope: Scope, model: StoredModel, bytes: number, { askDeletion, deleteModel }: Deleting): HTMLElement {
  const { stored: words } = text.models;
  const question = words.confirm(bytes);
  const yes = button(scope, words.yes, 'confirm-delete', `${words.yes}: ${model.id}. ${question}`, () => {
    deleteModel(model.id);
  });
  const no = button(scope, words.no, 'keep-model', words.no, () => {
    askDeletion(null);
  });
  return row(model, h('div', { class: 'stored__confirm' }, h('p', {}, question), h('div', { class: 'button-row' }, yes, no)));
}
