import type { StoredFileInfo } from '../../engine/storedFiles';
import type { Scope } from '../../ui-kit/scope';
import { h, setText } from '../../ui-kit/dom';
import { problemOf } from '../../ui-kit/failure';
import { text } from '../../ui-kit/texts/text';
import type { Actions } from '../view';
import type { ModelsState } from './state';

type Deleting = Pick<Actions, 'askDeletion' | 'deleteModel' | 'dropOriginal'>;

/** The stored files of one model: the original, and what was converted from it; or the beginning of a download. */
interface StoredModel {
  readonly id: string;
  /** Newest first. Empty for the beginning of a download. */
  readonly files: readonly StoredFileInfo[];
  /** Stored bytes. */
  readonly bytes: number;
  /** Size of the whole download that was interrupted; null if there is none. */
  readonly downloadBytes: number | null;
  readonly license: string | null;
  /** The original, if a converted file makes it unnecessary. */
  readonly spare: StoredFileInfo | null;
}

export function storedModelsOf({ stored, presets }: Pick<ModelsState, 'stored' | 'presets'>): StoredModel[] {
  const byId = new Map<string, StoredFileInfo[]>();
  for (const file of stored ?? []) byId.set(file.id, [...(byId.get(file.id) ?? []), file]);
  // The user could not delete them otherwise.
  const begun = new Map((presets ?? []).flatMap(({ model, bytes, receivedBytes, license }) => (receivedBytes > 0 ? [[model, { bytes, receivedBytes, license }]] : [])));
  return [...new Set([...byId.keys(), ...begun.keys()])].map((id) => {
    const files = byId.get(id) ?? [];
    const part = begun.get(id);
    return {
      id,
      files,
      bytes: files.reduce((sum, { bytes }) => sum + bytes, part?.receivedBytes ?? 0),
      downloadBytes: part?.bytes ?? null,
      license: files[0] ? files[0].license : (part?.license ?? null),
      spare: files.find(({ isSpare }) => isSpare) ?? null,
    };
  });
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
  let shown: Pick<ModelsState, 'stored' | 'presets' | 'deletionOf'> | null = null;

  return {
    element,
    update(models) {
      const { stored, presets, deletionOf, listFailure, preparing } = models;
      setText(summary, summaryOf(models));
      summary.hidden = stored === null && listFailure === null;
      if (shown?.stored !== stored || shown.presets !== presets || shown.deletionOf !== deletionOf) {
        const hadFocus = list.contains(document.activeElement);
        const before = shown?.deletionOf ?? null;
        shown = { stored, presets, deletionOf };
        rowScope.dispose();
        rowScope = scope.child();
        list.replaceChildren(
          ...storedModelsOf(models).map((model) =>
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

function summaryOf(state: ModelsState): string {
  const { stored: words } = text.models;
  if (state.listFailure) return words.unknown(problemOf(state.listFailure));
  const models = storedModelsOf(state);
  if (models.length === 0) return words.none;
  return words.total(
    models.length,
    models.reduce((sum, { bytes }) => sum + bytes, 0),
  );
}

function row({ id, files, bytes, downloadBytes, license }: StoredModel, ...controls: Node[]): HTMLElement {
  const { stored: words } = text.models;
  const [latest] = files;
  const size = downloadBytes === null ? words.size(bytes) : words.part(bytes, downloadBytes);
  const facts = [size, words.license(license), ...(latest ? [words.since(latest.storedAt)] : [])].join(' · ');
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
