import { messageOf } from '../util/errors';
import { h } from './dom';
import { inLanguage } from './texts/language';

/** Texts of a page that fails to start. */
const startText = inLanguage(
  {
    heading: 'Voxlane could not start',
    missing: {
      WebAssembly:
        'WebAssembly is missing or turned off in this browser. Voxlane needs it to run its models. Lockdown Mode on Apple devices and some company policies turn it off.',
      Worker: 'Web Workers are missing or turned off in this browser. Voxlane needs them to run its models.',
      ResizeObserver: 'This browser is too old: it has no ResizeObserver.',
      IntersectionObserver: 'This browser is too old: it has no IntersectionObserver.',
    },
    newer:
      'Update the browser or use another one: Chrome or Edge 97, Firefox 114, Safari 16.4, or a later version. If a setting or an extension blocks the feature, allow it for this site and reload the page.',
    failed: 'An error stopped the page while it was starting.',
    reload: 'Reload the page. If the error persists, update the browser or use another one, and report the details below.',
    details: 'Technical details',
  },
  {
    de: {
      heading: 'Voxlane konnte nicht starten',
      missing: {
        WebAssembly:
          'WebAssembly fehlt in diesem Browser oder ist ausgeschaltet. Voxlane braucht es für seine Modelle. Der Blockierungsmodus von Apple-Geräten und manche Firmenrichtlinien schalten es aus.',
        Worker: 'Web Worker fehlen in diesem Browser oder sind ausgeschaltet. Voxlane braucht sie für seine Modelle.',
        ResizeObserver: 'Dieser Browser ist zu alt: Ihm fehlt ResizeObserver.',
        IntersectionObserver: 'Dieser Browser ist zu alt: Ihm fehlt IntersectionObserver.',
      },
      newer:
        'Aktualisieren Sie den Browser oder nehmen Sie einen anderen: Chrome oder Edge 97, Firefox 114, Safari 16.4 oder neuer. Sperrt eine Einstellung oder Erweiterung die Funktion, erlauben Sie sie für diese Seite und laden Sie neu.',
      failed: 'Ein Fehler hat den Start der Seite abgebrochen.',
      reload: 'Laden Sie die Seite neu. Bleibt der Fehler, aktualisieren Sie den Browser oder nehmen Sie einen anderen, und melden Sie die Einzelheiten unten.',
      details: 'Technische Einzelheiten',
    },
  },
);

/** Globals that the pages need. */
const REQUIRED = ['WebAssembly', 'Worker', 'ResizeObserver', 'IntersectionObserver'] as const;
type RequiredFeature = (typeof REQUIRED)[number];

/** The first required feature that is missing; null if all are there. */
export const missingFeature = (globals: object): RequiredFeature | null => REQUIRED.find((name) => !(name in globals)) ?? null;

/**
 * Starts a page in the element `#app`, in place of the static text of the HTML file. If the browser lacks a feature or
 * `mount` throws, the page shows the problem and a remedy.
 */
export function startPage(mount: (root: HTMLElement) => void): void {
  const root = document.getElementById('app');
  if (!root) return;
  const missing = missingFeature(globalThis);
  if (missing !== null) {
    show(root, startText.missing[missing], startText.newer, missing);
    return;
  }
  const startup = [...root.childNodes];
  try {
    mount(root);
    for (const node of startup) node.remove();
  } catch (thrown) {
    console.error(thrown);
    show(root, startText.failed, startText.reload, messageOf(thrown));
  }
}

function show(root: HTMLElement, problem: string, remedy: string, details: string): void {
  root.replaceChildren(
    h(
      'div',
      { class: 'startup startup--shown', role: 'alert', 'data-testid': 'startup' },
      h('h1', {}, startText.heading),
      h('p', {}, problem),
      h('p', {}, remedy),
      h('details', {}, h('summary', {}, startText.details), h('p', { class: 'mono', lang: 'en' }, details)),
    ),
  );
}
