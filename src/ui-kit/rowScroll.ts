/**
 * Scroll arithmetic of a table whose rows have one height, of which only those near the view are in the page. If all rows would exceed the
 * maximum height of an element, the table is scaled: it has the maximum height, and a scrolled pixel corresponds to several pixels of rows.
 */

/** Rows kept above and below the visible ones. Recordings of a few minutes are completely in the DOM. */
const MARGIN = 80;
/** Extra rows above and below in a scaled table, where each scroll recreates all rows. */
const SCALED_MARGIN = 10;
/** Maximum height of an element in all browsers; the limit of Firefox is 17.8 million pixels. */
export const TALLEST_PIXELS = 10_000_000;

/** A scrolled table. Heights and positions are in CSS pixels. */
export interface RowView {
  readonly numRows: number;
  /** Of a row, and of the header, which covers the first row of the view. */
  readonly rowHeight: number;
  readonly clientHeight: number;
  readonly scrollTop: number;
}

/** The rows in the page, and the heights of the spacers for the others. */
export interface PresentRows {
  readonly from: number;
  /** After the last. */
  readonly to: number;
  readonly aboveHeight: number;
  readonly belowHeight: number;
}

/** Whether the table has the maximum height. */
export const isScaled = ({ numRows, rowHeight }: Pick<RowView, 'numRows' | 'rowHeight'>): boolean => numRows * rowHeight > TALLEST_PIXELS;

/** Number of fully visible rows below the header. */
const visibleRows = ({ clientHeight, rowHeight }: RowView): number => Math.max(1, Math.floor(clientHeight / rowHeight) - 1);

/** Scrolled pixels for each row of a scaled table. */
const pixelsPerRow = (view: RowView): number => (TALLEST_PIXELS + view.rowHeight - view.clientHeight) / (view.numRows - visibleRows(view));

/** Index of the first row in the view. */
export const firstRow = (view: RowView): number =>
  Math.floor(isScaled(view) ? view.scrollTop / pixelsPerRow(view) + 1e-6 : view.scrollTop / view.rowHeight);

/** Index after the last row in the view; may be after the last row of the table. */
export const lastRow = (view: RowView): number => firstRow(view) + Math.ceil(view.clientHeight / view.rowHeight) + 1;

/** The rows that belong in the page. In a scaled table, the first visible one is at the scroll position. */
export function presentRows(view: RowView): PresentRows {
  const { numRows, rowHeight } = view;
  const [first, last] = [firstRow(view), lastRow(view)];
  if (!isScaled(view)) {
    const [from, to] = [Math.max(0, first - MARGIN), Math.min(numRows, last + MARGIN)];
    return { from, to, aboveHeight: from * rowHeight, belowHeight: (numRows - to) * rowHeight };
  }
  const top = Math.round(view.scrollTop);
  const from = Math.max(0, first - SCALED_MARGIN, first - Math.floor(top / rowHeight));
  const to = Math.min(numRows, last + SCALED_MARGIN);
  const aboveHeight = top - (first - from) * rowHeight;
  return { from, to, aboveHeight, belowHeight: Math.max(0, TALLEST_PIXELS - aboveHeight - (to - from) * rowHeight) };
}

/** Whether the view of a table that is not scaled approaches the edge of the present rows. */
export function isNearEdge(view: RowView, { from, to }: Pick<PresentRows, 'from' | 'to'>): boolean {
  const edge = MARGIN / 2;
  return (from > 0 && firstRow(view) < from + edge) || (to < view.numRows && lastRow(view) > to - edge);
}

/** The scroll position closest to the present one at which a row is fully visible. */
export function scrollTopFor(view: RowView, index: number): number {
  const { rowHeight, clientHeight, scrollTop } = view;
  if (isScaled(view)) {
    const first = firstRow(view);
    if (index < first) return index * pixelsPerRow(view);
    return index >= first + visibleRows(view) ? (index - visibleRows(view) + 1) * pixelsPerRow(view) : scrollTop;
  }
  const top = index * rowHeight;
  if (top < scrollTop) return top;
  // One row more for the header.
  return Math.max(scrollTop, top + 2 * rowHeight - clientHeight);
}
