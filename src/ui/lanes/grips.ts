import { h } from '../dom';
import { barTopOf, lanesTop, xOf, type Geometry } from './geometry';
import type { PlacedTurn } from './model';

/** Below this width the edges are held from outside, or they would cover each other. */
const THIN_PIXELS = 32;

/**
 * Where the selected turn can be taken hold of. Elements, not places on the canvas: the browser decides by the element
 * whether a finger scrolls or drags. What is seen of them is painted.
 */
export interface Grips {
  readonly element: HTMLElement;
  /** Lays them over a turn; null puts them away. */
  readonly place: (geometry: Geometry, placed: PlacedTurn | null) => void;
  readonly edgeOf: (target: EventTarget | null) => 'start' | 'end' | null;
  readonly isBody: (target: EventTarget | null) => boolean;
}

export function createGrips(): Grips {
  const start = h('div', { class: 'lanes__edge lanes__edge--start', 'data-testid': 'grip-start' });
  const end = h('div', { class: 'lanes__edge lanes__edge--end', 'data-testid': 'grip-end' });
  const element = h('div', { class: 'lanes__grips', hidden: true, 'aria-hidden': 'true' }, start, end);
  return {
    element,
    place(geometry, placed) {
      const left = placed ? xOf(geometry, placed.turn.startSeconds) : 0;
      const right = placed ? xOf(geometry, placed.turn.endSeconds) : 0;
      const top = placed ? barTopOf(geometry, placed.lane) : 0;
      const isScrolledOut = top < lanesTop(geometry) || top + geometry.barHeight > geometry.height;
      element.hidden = !placed || right < 0 || left > geometry.width || isScrolledOut;
      if (!placed || element.hidden) return;
      const from = Math.max(0, left);
      const width = Math.min(geometry.width, right) - from;
      element.style.transform = `translate(${from}px, ${top}px)`;
      element.style.width = `${width}px`;
      element.style.height = `${geometry.barHeight}px`;
      element.classList.toggle('is-thin', width < THIN_PIXELS);
      start.hidden = left < 0;
      end.hidden = right > geometry.width;
    },
    edgeOf: (target) => (target === start ? 'start' : target === end ? 'end' : null),
    isBody: (target) => target === element,
  };
}
