import type { EditableTurn } from '../editing/annotation';
import { indicesOverlapping } from '../editing/overlapping';
import { indexOfTurn } from '../editing/turnLookup';
import type { Turn } from '../engine/types';
import type { Scope } from './scope';
import { h, isTouch, TOUCH_PIXELS } from './dom';
import type { Formats } from './format';
import { hasModifier, listMove } from './listKeys';
import { firstRow, isNearEdge, isScaled, lastRow, presentRows, type RowView, scrollTopFor } from './rowScroll';
import { swatch } from './tracks/palette';

/** In CSS pixels, for a mouse. */
const ROW_HEIGHT = 36;

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

  const view = (): RowView => ({ numRows: turns.length, rowHeight, clientHeight: element.clientHeight, scrollTop: element.scrollTop });

  const fill = (force: boolean): void => {
    const now = view();
    const first = firstRow(now);
    // Rows are recreated only when the view approaches the edge of the present rows, not at each scrolled pixel. In a scaled table, their
    // place changes with each row.
    const isDue = isScaled(now) ? (lastRow(now) > to && to < turns.length) || first !== filledAt : isNearEdge(now, { from, to });
    if (!force && !isDue) return;
    if (isScaled(now)) filledAt = first;
    const rows = presentRows(now);
    ({ from, to } = rows);
    place(first, rows.aboveHeight, rows.belowHeight);
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
    const now = view();
    const top = scrollTopFor(now, index);
    if (top !== now.scrollTop) element.scrollTop = top;
    fill(isScaled(now) && (index < from || index >= to));
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
