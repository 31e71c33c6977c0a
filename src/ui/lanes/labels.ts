import { h } from '../dom';
import { lanesTop, visibleLanes, type Geometry } from './geometry';
import { laneLabel } from './label';
import { turnAt, type Lane } from './model';

export interface Labels {
  readonly element: HTMLElement;
  readonly setLanes: (lanes: readonly Lane[]) => void;
  /** Marks those who speak at this moment. */
  readonly setPosition: (seconds: number) => void;
  /** Puts the labels beside the visible lanes. */
  readonly place: (geometry: Geometry) => void;
}

/** Extra labels above and below the visible ones, so that a short scroll creates none. */
const MARGIN = 10;

/** The names beside the lanes. If the lanes scroll, only the labels near the visible lanes are in the page. */
export function createLabels(): Labels {
  const above = h('li', { 'aria-hidden': 'true' });
  const below = h('li', { 'aria-hidden': 'true' });
  const element = h('ul', { class: 'lanes__labels' });
  let lanes: readonly Lane[] = [];
  let items = new Map<number, HTMLElement>();
  /** The labels that are in the page; null if they are stale. */
  let made: { readonly from: number; readonly to: number } | null = null;
  let position = 0;

  const mark = (): void => {
    for (const [index, item] of items) {
      const lane = lanes[index];
      item.classList.toggle('is-speaking', lane !== undefined && turnAt(lane.turns, position) !== null);
    }
  };
  const make = (from: number, to: number): void => {
    made = { from, to };
    items = new Map(
      lanes.slice(from, to).map((lane, offset) => {
        const item = laneLabel(lane);
        item.setAttribute('aria-setsize', String(lanes.length));
        item.setAttribute('aria-posinset', String(from + offset + 1));
        return [from + offset, item];
      }),
    );
    mark();
  };

  return {
    element,
    setLanes(next) {
      lanes = next;
      made = null;
    },
    setPosition(seconds) {
      position = seconds;
      mark();
    },
    place(geometry) {
      const { numLanes, laneHeight, lanesScrolled = 0 } = geometry;
      element.classList.toggle('lanes__labels--scrolled', numLanes !== undefined);
      if (numLanes === undefined) {
        element.style.height = '';
        if (made) return;
        make(0, lanes.length);
        element.replaceChildren(...items.values());
        return;
      }
      const { from, to } = visibleLanes(geometry);
      if (!made || from < made.from || to > made.to) {
        make(Math.max(0, from - MARGIN), Math.min(lanes.length, to + MARGIN));
        above.style.height = `${made!.from * laneHeight}px`;
        // The lanes' window is lower by the axis: without this the labels could not scroll as far.
        below.style.height = `${(lanes.length - made!.to) * laneHeight + lanesTop(geometry)}px`;
        element.replaceChildren(above, ...items.values(), below);
      }
      element.style.height = `${geometry.height}px`;
      element.scrollTop = lanesScrolled;
    },
  };
}
