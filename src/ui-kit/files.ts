import { h } from './dom';
import type { Scope } from './scope';

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

/**
 * Makes the whole page a drop target, or one element of it. Without this the browser would leave the page for a file
 * dropped beside the zone, and the result with it.
 */
export function acceptDrops(
  scope: Scope,
  onDragging: (dragging: boolean) => void,
  onFiles: (files: Iterable<File>) => void,
  target?: HTMLElement,
): void {
  acceptTransfers(
    scope,
    onDragging,
    (transfer) => {
      const files = [...transfer.files];
      if (files.length > 0) onFiles(files);
    },
    target,
  );
}

/**
 * As {@link acceptDrops}, for who looks into dropped folders too. `onTransfer` must take what it needs before it
 * returns: after the event the transfer is empty.
 */
export function acceptTransfers(
  scope: Scope,
  onDragging: (dragging: boolean) => void,
  onTransfer: (transfer: DataTransfer) => void,
  // Both have the events of a drag, under the same names.
  target: HTMLElement = window as unknown as HTMLElement,
): void {
  // Enter and leave fire for every element on the way; only their balance says whether the pointer left the page.
  let depth = 0;
  const set = (next: number): void => {
    const was = depth > 0;
    depth = Math.max(0, next);
    if (depth > 0 !== was) onDragging(depth > 0);
  };
  const carriesFiles = (event: DragEvent): boolean =>
    event.dataTransfer?.types.includes('Files') ?? false;

  scope.on(target, 'dragenter', (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    set(depth + 1);
  });
  scope.on(target, 'dragover', (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    if (event.dataTransfer) event.dataTransfer.dropEffect = 'copy';
  });
  scope.on(target, 'dragleave', (event) => {
    if (carriesFiles(event)) set(depth - 1);
  });
  scope.on(target, 'drop', (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    set(0);
    if (event.dataTransfer) onTransfer(event.dataTransfer);
  });
}

/** Hands a text, or bytes, to the person as a file. */
export function download(name: string, type: string, content: BlobPart): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // Some browsers read the address only after the click has returned.
  setTimeout(() => {
    URL.revokeObjectURL(url);
  }, 10_000);
}
