import type { Scope } from '../../util/scope';
import { h } from '../../ui/dom';
import { fileButton } from '../../ui/fileButton';

/** A button with a border. */
export function button(scope: Scope, label: string, onClick: () => void): HTMLButtonElement {
  const element = h('button', { type: 'button', class: 'button', part: 'button' }, label);
  scope.on(element, 'click', onClick);
  return element;
}

/** A button that asks for a recording. */
export function recordingButton(scope: Scope, label: string, onFile: (file: File) => void, isPrimary: boolean): HTMLElement {
  const element = fileButton(
    scope,
    label,
    ([file]) => {
      if (file) onFile(file);
    },
    { accept: 'audio/*,video/*', isMultiple: false, isFolder: false, isPrimary, testId: 'file-input' },
  );
  element.querySelector('label')?.setAttribute('part', isPrimary ? 'primary-button' : 'button');
  return element;
}
