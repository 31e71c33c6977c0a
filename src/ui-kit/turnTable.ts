import type { EditableTurn } from '../editing/annotation';
import { indicesOverlapping } from '../editing/overlapping';
import { indexOfTurn } from '../editing/turnLookup';
import type { Turn } from '../engine/types';
import type { Scope } from './scope';
import { h, isTouch, TOUCH_PIXELS } from './dom';
import type { Formats } from './format';
import { hasModifier, listMove } from './listKeys';
import { swatch } from './tracks/palette';

/** In CSS pixels, for a mouse. */
const ROW_HEIGHT = 36;
/** Rows kept above and below the visible ones. Recordings of a few minutes are completely in the DOM. */
const MARGIN = 80;
/** Maximum height of an element in all browsers; the limit of Firefox is 17.8 million pixels. */
const TALLEST_PIXELS = 10_000_000;
/** Extra rows above and below in a scaled table, where each scroll recreates all rows. */
const SCALED_MARGIN = 10;

interface TurnTable {
  readonly element: HTMLElement;
  readonly setTurns: (turns: readonly TableTurn[], speakers: readonly SpeakerName[]) => void;
  /** Marks the row of a turn by its id and scrolls it into view; null marks none. */
  readonly setSelected: (turn: number | null) => void;
  /** Marks the rows at this time. */
  readonly setPosition: (seconds: number, playing: boolean) => void;
}

/** A turn, with an id if it can be selected. */
type TableTurn = Turn & Partial<Pick<EditableTurn, 'id' | 'isCorrected'>>;

interface SpeakerName {
  readonly label: string;
  readonly name: string;
  /** Index into the speaker colors. */
  readonly color: number;
}

interface TurnTableOptions {
  readonly onPlay: (turn: TableTurn) => void;
  /** The row received the focus, by click or keyboard. */
  readonly onSelect: (turn: TableTurn) => void;
  readonly words: TurnTableWords;
  /** Attribute `part` of the rows, in a shadow root. */
  readonly rowPart?: string;
  /** Formats of times. */
  readonly formats: Pick<Formats, 'clock' | 'decimal'>;
}

interface TurnTableWords {
  /** Label of the table. */
  readonly label: string;
  readonly start: string;
  readonly end: string;
  readonly length: string;
  readonly speaker: string;
  /** Marks a turn that the user has corrected. */
  readonly corrected: string;
}

/**
 * The turns as a table: the accessible alternative to the tracks. Only rows near the visible ones are in the DOM: a
 * recording of three hours has thousands.
 */
export function createTurnTable(scope: Scope, { onPlay, onSelect, words, formats, rowPart }: TurnTableOptions): TurnTable {
  const { clock, decimal } = formats;
  /** All rows have one height, also set in CSS, so that rows outside the window can be replaced by spacers. */
  const rowHeight = isTouch() ? TOUCH_PIXELS : ROW_HEIGHT;
  const above = h('td', { colspan: 4 });
  const below = h('td', { colspan: 4 });
  const aboveRow = h('tr', { 'aria-hidden': 'true', class: 'turns__spacer' }, above);
  const belowRow = h('tr', { 'aria-hidden': 'true', class: 'turns__spacer' }, below);
  const body = h('tbody', {});
  const head = h(
    'thead',
    {},
    h(
      'tr',
      { 'aria-rowindex': 1 },
      ...[words.start, words.end, words.length, words.speaker].map((name) => h('th', { scope: 'col' }, name)),
    ),
  );
  const table = h('table', { class: 'turns', role: 'grid', 'aria-label': words.label }, head, body);
  const element = h('div', { class: 'turns__scroller', style: `--row-height:${rowHeight}px` }, table);

  let turns: readonly TableTurn[] = [];
  let names = new Map<string, SpeakerName>();
  let selected: number | null = null;
  let from = 0;
  let to = 0;
  /** The first visible row when a scaled table was last filled. */
  let filledAt = -1;
  /** The only row in the tab order; arrow keys move it. */
  let active = 0;
  let position = -1;
  let current = new Set<number>();
  /** A pointer is down on a row. The rows do not move until it is up; otherwise the click would hit another row. */
  let isPressed = false;
  /** Rows are being recreated: the focus returns to a row without a user action. */
  let isFilling = false;

  /** Index of a turn; -1 in exclusive turns, which have no ids. */
  const placeOf = (id: number | null): number => indexOfTurn(turns as readonly EditableTurn[], id);
  const rowOf = (index: number): HTMLTableRowElement | null =>
    body.querySelector<HTMLTableRowElement>(`tr[data-index="${index}"]`);

  const makeRow = (turn: TableTurn, index: number): HTMLTableRowElement => {
    const speaker = names.get(turn.speaker);
    return h(
      'tr',
      {
        class: 'turns__row',
        part: rowPart,
        tabindex: index === active ? 0 : -1,
        'data-testid': 'turn-row',
        'data-index': index,
        // +1 for the header, +1 because ARIA counts from 1.
        'aria-rowindex': index + 2,
        'aria-current': current.has(index) ? 'true' : null,
        'aria-selected': turn.id === undefined ? null : String(turn.id === selected),
      },
      h('td', {}, clock(turn.startSeconds, 2)),
      h('td', {}, clock(turn.endSeconds, 2)),
      h('td', {}, decimal(turn.endSeconds - turn.startSeconds, 2)),
      h(
        'td',
        {},
        swatch(speaker?.color ?? 0),
        speaker?.name ?? turn.speaker,
        turn.isCorrected ? h('span', { class: 'turns__mark' }, words.corrected) : null,
      ),
    );
  };

  /**
   * Whether all rows would exceed the maximum height of an element. The table then has the maximum height, and a
   * scrolled pixel corresponds to several pixels of rows.
   */
  const isScaled = (): boolean => turns.length * rowHeight > TALLEST_PIXELS;
  /** Number of fully visible rows below the header. */
  const visibleRows = (): number => Math.max(1, Math.floor(element.clientHeight / rowHeight) - 1);
  /** Scrolled pixels for each row of a scaled table. */
  const pixelsPerRow = (): number => (TALLEST_PIXELS + rowHeight - element.clientHeight) / (turns.length - visibleRows());
  const firstRow = (): number => Math.floor(isScaled() ? element.scrollTop / pixelsPerRow() + 1e-6 : element.scrollTop / rowHeight);

  const fill = (force: boolean): void => {
    const firstVisible = firstRow();
    const lastVisible = firstVisible + Math.ceil(element.clientHeight / rowHeight) + 1;
    if (isScaled()) {
      const isShort = lastVisible > to && to < turns.length;
      if (force || isShort || firstVisible !== filledAt) fillScaled(firstVisible, lastVisible);
      return;
    }
    // Rows are recreated only when the view approaches the edge of the present rows, not at each scrolled pixel.
    const edge = MARGIN / 2;
    const near = (from > 0 && firstVisible < from + edge) || (to < turns.length && lastVisible > to - edge);
    if (!force && !near) return;
    from = Math.max(0, firstVisible - MARGIN);
    to = Math.min(turns.length, lastVisible + MARGIN);
    place(firstVisible, from * rowHeight, (turns.length - to) * rowHeight);
  };

  /** Puts the first visible row at the scroll position. */
  const fillScaled = (firstVisible: number, lastVisible: number): void => {
    filledAt = firstVisible;
    const top = Math.round(element.scrollTop);
    from = Math.max(0, firstVisible - SCALED_MARGIN, firstVisible - Math.floor(top / rowHeight));
    to = Math.min(turns.length, lastVisible + SCALED_MARGIN);
    const height = top - (firstVisible - from) * rowHeight;
    place(firstVisible, height, Math.max(0, TALLEST_PIXELS - height - (to - from) * rowHeight));
  };

  /** Creates the rows from `from` to `to`, between spacers for the others. */
  const place = (firstVisible: number, aboveHeight: number, belowHeight: number): void => {
    const focused = body.matches(':focus-within');
    const { scrollTop } = element;
    const rows = turns.slice(from, to).map((turn, offset) => makeRow(turn, from + offset));
    above.style.height = `${aboveHeight}px`;
    below.style.height = `${belowHeight}px`;
    body.replaceChildren(...(aboveHeight > 0 ? [aboveRow] : []), ...rows, ...(belowHeight > 0 ? [belowRow] : []));
    // Removing the focused row triggers a layout, in which the shorter content can reset the scroll position.
    if (element.scrollTop !== scrollTop) element.scrollTop = scrollTop;
    // One row must stay in the tab order, and the focus in the table.
    if (active < from || active >= to) {
      active = Math.min(Math.max(firstVisible, from), Math.max(from, to - 1));
      rowOf(active)?.setAttribute('tabindex', '0');
    }
    isFilling = true;
    if (focused) rowOf(active)?.focus({ preventScroll: true });
    isFilling = false;
  };

  const reveal = (index: number): void => {
    if (isScaled()) {
      const first = firstRow();
      if (index < first) element.scrollTop = index * pixelsPerRow();
      else if (index >= first + visibleRows()) element.scrollTop = (index - visibleRows() + 1) * pixelsPerRow();
      fill(index < from || index >= to);
      return;
    }
    const head = rowHeight;
    const top = index * rowHeight;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + rowHeight + head > element.scrollTop + element.clientHeight) {
      element.scrollTop = top + rowHeight + head - element.clientHeight;
    }
    fill(false);
  };

  const moveTo = (index: number): void => {
    const next = Math.min(Math.max(0, index), turns.length - 1);
    rowOf(active)?.setAttribute('tabindex', '-1');
    active = next;
    reveal(next);
    const row = rowOf(next);
    row?.setAttribute('tabindex', '0');
    row?.focus({ preventScroll: true });
  };

  const indexOf = (target: EventTarget | null): number | null => {
    const row = target instanceof Element ? target.closest<HTMLElement>('tr[data-index]') : null;
    return row ? Number(row.dataset.index) : null;
  };
  scope.on(element, 'scroll', () => {
    fill(false);
  }, { passive: true });
  scope.on(body, 'pointerdown', () => {
    isPressed = true;
  });
  for (const type of ['pointerup', 'pointercancel'] as const) {
    scope.on(window, type, () => {
      isPressed = false;
    });
  }
  scope.on(body, 'click', (event) => {
    const index = indexOf(event.target);
    const turn = index === null ? undefined : turns[index];
    if (index === null || !turn) return;
    moveTo(index);
    onPlay(turn);
  });
  // The selection follows the focus, so that keys act on the focused row.
  scope.on(body, 'focusin', (event) => {
    const turn = turns[indexOf(event.target) ?? -1];
    if (turn && !isFilling) onSelect(turn);
  });
  scope.on(body, 'keydown', (event) => {
    const index = indexOf(event.target);
    if (index === null || hasModifier(event)) return;
    const page = Math.max(1, Math.floor(element.clientHeight / rowHeight) - 2);
    const next = listMove(event.key, index, turns.length, page);
    const turn = turns[index];
    if (next !== null) moveTo(next);
    else if (event.key === 'Enter' && turn) onPlay(turn);
    else return;
    event.preventDefault();
  });

  return {
    element,
    setTurns(nextTurns, speakers) {
      turns = nextTurns;
      names = new Map(speakers.map((speaker) => [speaker.label, speaker]));
      const kept = placeOf(selected);
      active = kept >= 0 ? kept : Math.min(active, Math.max(0, turns.length - 1));
      current = new Set();
      table.setAttribute('aria-rowcount', String(turns.length + 1));
      fill(true);
      position = -1;
    },
    setSelected(turn) {
      if (turn === selected) return;
      selected = turn;
      const index = placeOf(turn);
      if (index >= 0 && !body.matches(':focus-within')) {
        rowOf(active)?.setAttribute('tabindex', '-1');
        active = index;
      }
      // In a hidden tab, the table has no height to scroll in.
      if (index >= 0 && element.clientHeight > 0 && !isPressed) reveal(index);
      for (const row of body.querySelectorAll<HTMLElement>('tr[data-index]')) {
        const { id } = turns[Number(row.dataset.index)] ?? {};
        if (id !== undefined) row.setAttribute('aria-selected', String(id === turn));
        row.tabIndex = Number(row.dataset.index) === active ? 0 : -1;
      }
    },
    setPosition(seconds, playing) {
      if (seconds === position) return;
      position = seconds;
      const next = new Set(indicesOverlapping(turns, seconds, seconds));
      for (const index of current) if (!next.has(index)) rowOf(index)?.removeAttribute('aria-current');
      const added = [...next].filter((index) => !current.has(index));
      for (const index of added) rowOf(index)?.setAttribute('aria-current', 'true');
      current = next;
      const latest = added.at(-1);
      // Follows playback, but does not scroll the table while the pointer or the focus is in it.
      if (playing && latest !== undefined && !element.matches(':hover, :focus-within')) reveal(latest);
    },
  };
}
