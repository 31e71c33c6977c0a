import type { Scope } from '../util/scope';

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
