import { messageOf } from '../util/errors';
import { h } from './dom';
import { startText as text } from './startText';

/** Globals that the pages need. */
const REQUIRED = ['WebAssembly', 'Worker', 'ResizeObserver', 'IntersectionObserver'] as const;
export type RequiredFeature = (typeof REQUIRED)[number];

/** The first required feature that is missing; null if all are there. */
export const missingFeature = (globals: object): RequiredFeature | null => REQUIRED.find((name) => !(name in globals)) ?? null;

/**
 * Starts a page in the element `#app`, in place of the text of the HTML file. If the browser lacks a feature, or `mount`
 * throws, the page says what is wrong and what to do.
 */
export function startPage(mount: (root: HTMLElement) => void): void {
  const root = document.getElementById('app');
  if (!root) return;
  const missing = missingFeature(globalThis);
  if (missing !== null) {
    show(root, text.missing[missing], text.newer, missing);
    return;
  }
  const startup = [...root.childNodes];
  try {
    mount(root);
    for (const node of startup) node.remove();
  } catch (thrown) {
    console.error(thrown);
    show(root, text.failed, text.reload, messageOf(thrown));
  }
}

function show(root: HTMLElement, problem: string, remedy: string, details: string): void {
  root.replaceChildren(
    h(
      'div',
      { class: 'startup startup--shown', role: 'alert', 'data-testid': 'startup' },
      h('h1', {}, text.heading),
      h('p', {}, problem),
      h('p', {}, remedy),
      h('details', {}, h('summary', {}, text.details), h('p', { class: 'mono', lang: 'en' }, details)),
    ),
  );
}
