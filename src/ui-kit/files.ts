import { h } from './dom';
import type { Scope } from './scope';

/** A file to download. */
export interface ExportedFile {
  readonly name: string;
  readonly type: string;
  readonly content: string;
}

let serial = 0;

/** Options of a file button. */
export interface FileButtonOptions {
  /** Types and extensions in the syntax of the attribute `accept`; empty for any file. */
  readonly accept: string;
  readonly isMultiple: boolean;
  /** Selects a folder with its subfolders. */
  readonly isFolder: boolean;
  readonly isPrimary: boolean;
  readonly testId: string;
}

/** A recording, optionally with its turns. */
const RECORDING: FileButtonOptions = {
  accept: 'audio/*,video/*,.rttm,.json',
  isMultiple: true,
  isFolder: false,
  isPrimary: true,
  testId: 'file-input',
};

/**
 * A file input under a label that looks like a button. The input stays in the tab order and in the accessibility tree;
 * the label shows its focus ring.
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
    // Reset, so that selecting the same file again fires a change event.
    input.value = '';
    if (files.length > 0) onFiles(files);
  });
  const look = isPrimary ? 'button button--primary' : 'button';
  return h('span', { class: 'file-button' }, input, h('label', { for: id, class: look }, label));
}

/**
 * Turns the whole page, or one element, into a drop target. Otherwise the browser would navigate to a file dropped
 * beside the zone, and the result would be lost.
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
 * Like {@link acceptDrops}, with access to dropped folders. `onTransfer` must read the transfer before it returns: it
 * is empty after the event.
 */
export function acceptTransfers(
  scope: Scope,
  onDragging: (dragging: boolean) => void,
  onTransfer: (transfer: DataTransfer) => void,
  // Window and elements fire the same drag events.
  target: HTMLElement = window as unknown as HTMLElement,
): void {
  // Enter and leave events fire for every element; only their balance shows whether the pointer left the page.
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

/** Downloads text or bytes as a file. */
export function download(name: string, type: string, content: BlobPart): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // Some browsers read the URL only after the click has returned.
  setTimeout(() => {
    URL.revokeObjectURL(url);
  }, 10_000);
}
