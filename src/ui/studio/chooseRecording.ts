import type { Scope } from '../../util/scope';
import { h } from '../dom';
import { studioText } from './text';

const words = studioText.importing;

/** Asks which of several recordings of a file is meant; null where the person takes none. */
export function chooseRecording(scope: Scope, file: string, names: readonly string[]): Promise<string | null> {
  const select = h('select', { class: 'field', 'data-testid': 'choose-recording' }, ...names.map((name) => h('option', { value: name }, name)));
  const take = h('button', { type: 'submit', class: 'button button--primary' }, words.take);
  const cancel = h('button', { type: 'button', class: 'button' }, words.cancel);
  const form = h(
    'form',
    { method: 'dialog', class: 'choose' },
    h('label', { class: 'labelled' }, h('span', {}, words.choose(file)), select),
    h('div', { class: 'button-row' }, take, cancel),
  );
  const dialog = h('dialog', { class: 'dialog' }, form);
  document.body.append(dialog);
  return new Promise((resolve) => {
    let answer: string | null = null;
    const own = scope.child();
    own.add(() => {
      dialog.remove();
      resolve(answer);
    });
    own.on(form, 'submit', () => {
      answer = select.value;
    });
    own.on(cancel, 'click', () => {
      dialog.close();
    });
    own.on(dialog, 'close', () => {
      own.dispose();
    });
    dialog.showModal();
  });
}
