import type { Scope } from '../util/scope';

/**
 * Makes the whole page a drop target. Without this the browser would leave the page for a file dropped
 * beside the zone, and the result with it.
 */
export function acceptDrops(
  scope: Scope,
  onDragging: (dragging: boolean) => void,
  onFiles: (files: Iterable<File>) => void,
): void {
  acceptTransfers(scope, onDragging, (transfer) => {
    const files = [...transfer.files];
    if (files.length > 0) onFiles(files);
  });
}

/**
 * As {@link acceptDrops}, for who looks into dropped folders too. `onTransfer` must take what it needs before it
 * returns: after the event the transfer is empty.
 */
export function acceptTransfers(
  scope: Scope,
  onDragging: (dragging: boolean) => void,
  onTransfer: (transfer: DataTransfer) => void,
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

  scope.on(window, 'dragenter', (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    set(depth + 1);
  });
  scope.on(window, 'dragover', (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    if (event.dataTransfer) event.dataTransfer.dropEffect = 'copy';
  });
  scope.on(window, 'dragleave', (event) => {
    if (carriesFiles(event)) set(depth - 1);
  });
  scope.on(window, 'drop', (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    set(0);
    if (event.dataTransfer) onTransfer(event.dataTransfer);
  });
}
