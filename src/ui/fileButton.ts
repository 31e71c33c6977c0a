import type { Scope } from '../util/scope';
import { h } from './dom';

let serial = 0;

/** What a file button takes. */
export interface FileButtonOptions {
  /** Types and extensions, as the attribute `accept` has them; empty for any file. */
  readonly accept: string;
  readonly isMultiple: boolean;
  /** A whole folder with what is below it. */
  readonly isFolder: boolean;
  readonly isPrimary: boolean;
  readonly testId: string;
}

/** A recording, with its turns where they are there already. */
const RECORDING: FileButtonOptions = {
  accept: 'audio/*,video/*,.rttm,.json',
  isMultiple: true,
  isFolder: false,
  isPrimary: true,
  testId: 'file-input',
};

/**
 * A real file input under a label that looks like a button. The input stays in the tab order and in the
 * accessibility tree; the ring is drawn on the label.
 */
export function fileButton(
  scope: Scope,
  label: string,
  onFiles: (files: Iterable<File>) => void,
  { accept, isMultiple, isFolder, isPrimary, testId }: FileButtonOptions = RECORDING,
): HTMLElement {
  serial += 1;
  const id = `file-${serial}`;
  const input = h('input', {
    type: 'file',
    id,
    class: 'visually-hidden',
    accept: accept || null,
    multiple: isMultiple,
    webkitdirectory: isFolder,
    'data-testid': testId,
  });
  scope.on(input, 'change', () => {
    const files = [...(input.files ?? [])];
    // Emptied, so that choosing the same file again counts as a change.
    input.value = '';
    if (files.length > 0) onFiles(files);
  });
  const look = isPrimary ? 'button button--primary' : 'button';
  return h('span', { class: 'file-button' }, input, h('label', { for: id, class: look }, label));
}
