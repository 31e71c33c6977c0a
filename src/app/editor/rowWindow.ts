import type { Scope } from '../../ui-kit/scope';
import { h, onResize } from '../../ui-kit/dom';

interface RowWindow {
  /** Updates the rows after their number, order or content changed. */
  readonly update: () => void;
  /** Scrolls a row into view and returns its element. */
  readonly reveal: (index: number) => HTMLElement | null;
}

interface RowWindowOptions {
  /** The container of the rows. With more than `maxWhole` rows, it scrolls and has the class `is-windowed`. */
  readonly list: HTMLElement;
  readonly numRows: () => number;
  /** Returns the element of a row, which stays the same while the row is in the page. */
  readonly rowOf: (index: number) => HTMLElement;
  /** Up to this number, all rows are in the page. */
  readonly maxWhole: number;
  /** Assumed height of a row until one is measured. */
  readonly likelyHeight: number;
  /** Index of the focused row, which stays in the page even if it is out of view; null if there is none. */
  readonly keptRow: () => number | null;
  /** Called when rows may have left the page. */
  readonly onFilled?: () => void;
}

/** Extra rows above and below the visible ones, to let the Tab key reach the next control. */
const MARGIN = 6;

/**
 * A list that only renders the rows near the visible ones. All rows have the same height. The focused row stays in the
 * page while the list scrolls, to keep the focus.
 */
export function createRowWindow(scope: Scope, { list, numRows, rowOf, maxWhole, likelyHeight, keptRow, onFilled }: RowWindowOptions): RowWindow {
  let rowHeight = likelyHeight;
  /** The rows that are in the page. */
  let shown: readonly number[] = [];

  const wanted = (): number[] => {
    const total = numRows();
    if (total <= maxWhole) return Array.from({ length: total }, (_, index) => index);
    const first = Math.floor(list.scrollTop / rowHeight);
    const last = Math.ceil((list.scrollTop + list.clientHeight) / rowHeight);
    const from = Math.max(0, Math.min(first, total - 1) - MARGIN);
    const to = Math.min(total, last + MARGIN);
    const rows = Array.from({ length: to - from }, (_, offset) => from + offset);
    const kept = keptRow();
    if (kept === null || (kept >= from && kept < to)) return rows;
    return kept < from ? [kept, ...rows] : [...rows, kept];
  };

  const fill = (): void => {
    const total = numRows();
    list.classList.toggle('is-windowed', total > maxWhole);
    shown = wanted();
    const children: HTMLElement[] = [];
    let next = 0;
    for (const index of [...shown, total]) {
      if (index > next) children.push(spacer((index - next) * rowHeight));
      if (index === total) break;
      const row = rowOf(index);
      row.setAttribute('aria-setsize', String(total));
      row.setAttribute('aria-posinset', String(index + 1));
      children.push(row);
      next = index + 1;
    }
    placeChildren(list, children);
    onFilled?.();
  };

  /** Measures a row, and lays the rows out again if the assumed height was wrong. */
  const measure = (): void => {
    const row = shown.length > 0 && numRows() > maxWhole ? rowOf(shown[0]!) : null;
    const height = row?.offsetHeight ?? 0;
    if (height === 0 || Math.abs(height - rowHeight) < 0.5) return;
    const first = list.scrollTop / rowHeight;
    rowHeight = height;
    list.scrollTop = first * rowHeight;
    fill();
  };

  scope.on(list, 'scroll', () => {
    const rows = wanted();
    // Only if the rows to show have changed.
    if (rows[0] !== shown[0] || rows.at(-1) !== shown.at(-1)) fill();
  }, { passive: true });
  onResize(scope, list, () => {
    measure();
    fill();
  });

  return {
    update() {
      fill();
      measure();
    },
    reveal(index) {
      const total = numRows();
      if (index < 0 || index >= total) return null;
      if (total > maxWhole) {
        const top = index * rowHeight;
        if (top < list.scrollTop || top + rowHeight > list.scrollTop + list.clientHeight) {
          list.scrollTop = top - Math.max(0, (list.clientHeight - rowHeight) / 2);
        }
        fill();
      }
      return rowOf(index);
    },
  };
}

const spacer = (height: number): HTMLElement => h('li', { 'aria-hidden': 'true', class: 'row-spacer', style: `height:${height}px` });

/** Sets the children. Does not move elements that are already in place, because moving an element takes the focus from it. */
function placeChildren(parent: HTMLElement, children: readonly HTMLElement[]): void {
  const kept = new Set<Element>(children);
  for (const child of [...parent.children]) if (!kept.has(child)) child.remove();
  children.forEach((child, index) => {
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
  });
}
