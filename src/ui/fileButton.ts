import type { Scope } from '../util/scope';
import { h } from './dom';

let serial = 0;

/**
 * A real file input under a label that looks like a button. The input stays in the tab order and in the
 * accessibility tree; the ring is drawn on the label.
 */
export function fileButton(
  scope: Scope,
  label: string,
  onFiles: (files: Iterable<File>) => void,
): HTMLElement {
  serial += 1;
  const id = `file-${serial}`;
  const input = h('input', {
    type: 'file',
    id,
    class: 'visually-hidden',
    accept: 'audio/*,video/*',
    'data-testid': 'file-input',
  });
  scope.on(input, 'change', () => {
    const files = [...(input.files ?? [])];
    // Emptied, so that choosing the same file again counts as a change.
    input.value = '';
    if (files.length > 0) onFiles(files);
  });
  return h('span', { class: 'file-button' }, input, h('label', { for: id, class: 'button button--primary' }, label));
}
