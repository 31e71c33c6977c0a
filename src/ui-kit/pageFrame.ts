import { h, icon, mark, setText } from './dom';
import type { Scope } from './scope';
import { language, LANGUAGE_NAMES, LANGUAGES, rememberLanguage } from './texts/language';
import { text } from './texts/text';

const KEY = 'voxlane-theme';
type Theme = 'light' | 'dark';

const darkQuery = (): MediaQueryList => matchMedia('(prefers-color-scheme: dark)');

function stored(): Theme | null {
  try {
    const value = localStorage.getItem(KEY);
    return value === 'light' || value === 'dark' ? value : null;
  } catch {
    // Storage can be blocked; the choice then lasts until the page is closed.
    return null;
  }
}

function apply(theme: Theme | null): void {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}

export interface ThemeControl {
  readonly toggle: () => void;
  /** Calls the listener when the colors change, by the button or by the system: canvases must be repainted. */
  readonly onChange: (scope: Scope, listener: () => void) => void;
}

export function createTheme(scope: Scope): ThemeControl {
  const changed = new EventTarget();
  let chosen = stored();
  apply(chosen);
  const announce = (): boolean => changed.dispatchEvent(new Event('change'));
  scope.on(darkQuery(), 'change', announce);
  return {
    toggle() {
      const current = chosen ?? (darkQuery().matches ? 'dark' : 'light');
      const next = current === 'dark' ? 'light' : 'dark';
      // A choice equal to the system's is removed, so that the page follows the system again.
      chosen = next === (darkQuery().matches ? 'dark' : 'light') ? null : next;
      apply(chosen);
      try {
        if (chosen) localStorage.setItem(KEY, chosen);
        else localStorage.removeItem(KEY);
      } catch {
        // As in `stored`.
      }
      announce();
    },
    onChange(owner, listener) {
      owner.on(changed, 'change', listener);
    },
  };
}

/**
 * A button for each language, named in that language. Not a select, which would reload the page at each arrow key.
 *
 * @param beforeReload called before the page reloads; must not reject
 */
function languageSwitch(
  scope: Scope,
  beforeReload: () => Promise<void> = () => Promise.resolve(),
): { readonly element: HTMLElement; readonly setBusy: (busy: boolean) => void } {
  const buttons = LANGUAGES.map((name) => {
    const isShown = name === language;
    const button = h(
      'button',
      { type: 'button', lang: name, 'aria-pressed': String(isShown), 'data-testid': `language-${name}` },
      LANGUAGE_NAMES[name],
    );
    scope.on(button, 'click', () => {
      if (isShown) return;
      rememberLanguage(name);
      void beforeReload().then(() => {
        location.reload();
      });
    });
    return button;
  });
  const element = h('div', { class: 'languages', role: 'group', 'aria-label': text.language }, ...buttons);
  return {
    element,
    setBusy(busy) {
      for (const button of buttons) button.disabled = busy;
      // The explanation is on the group: not every browser shows tooltips on disabled buttons.
      element.title = busy ? text.languageBusy : '';
    },
  };
}

/** The frame around the content of each page of the app. */
interface PageFrame {
  /** Has the state of the page, for styles and tests. */
  readonly page: HTMLElement;
  readonly main: HTMLElement;
  /** Announces a sentence to screen readers. */
  readonly announce: (sentence: string) => void;
  /** Shows a message until it is removed; null removes it. */
  readonly setNotice: (message: string | null) => void;
  /** Shows that files are dragged over the page, and the effect of a drop. */
  readonly setDragging: (dragging: boolean, message: string) => void;
  /** Disables the choice of language while there is work that a reload would lose. */
  readonly setBusy: (busy: boolean) => void;
}

interface PageFrameOptions {
  readonly tagline: string;
  /** Link to the other page of the app. */
  readonly link: { readonly href: string; readonly label: string };
  readonly onDismissNotice: () => void;
  /** Below the content. */
  readonly footer?: HTMLElement;
  /** Saves unsaved work before a change of language reloads the page. */
  readonly beforeReload?: () => Promise<void>;
}

/** Header, notices, content, and the frame shown while files are dragged. */
export function createPageFrame(
  scope: Scope,
  root: HTMLElement,
  theme: ThemeControl,
  { tagline, link, onDismissNotice, footer, beforeReload }: PageFrameOptions,
): PageFrame {
  // The HTML file is static and marked as English.
  document.documentElement.lang = language;
  const languages = languageSwitch(scope, beforeReload);
  const themeButton = h(
    'button',
    { type: 'button', class: 'icon-button', 'aria-label': text.theme, title: text.theme },
    icon('theme'),
  );
  scope.on(themeButton, 'click', theme.toggle);
  const live = h('div', { class: 'visually-hidden', role: 'status', 'aria-live': 'polite' });
  const noticeText = h('p', {});
  const noticeClose = h(
    'button',
    { type: 'button', class: 'icon-button', 'aria-label': text.dismiss },
    icon('close'),
  );
  scope.on(noticeClose, 'click', onDismissNotice);
  // The live region is always present: screen readers often skip one that appears together with its text.
  const notice = h('div', { class: 'notice', hidden: true }, noticeText, noticeClose);
  const main = h('main', { id: 'content', class: 'content', tabindex: -1 });
  const skip = h('a', { class: 'skip-link', href: '#content' }, text.skip);
  scope.on(skip, 'click', (event) => {
    // Not through the URL fragment, which names the open result.
    event.preventDefault();
    main.focus();
  });
  const dropText = h('p', {});
  const page = h(
    'div',
    { class: 'page', 'data-testid': 'state' },
    skip,
    h(
      'header',
      { class: 'masthead' },
      h('h1', { class: 'masthead__name' }, mark(), text.name),
      h('p', { class: 'masthead__tagline' }, tagline),
      h('nav', { class: 'masthead__link' }, h('a', { href: link.href }, link.label)),
      languages.element,
      themeButton,
    ),
    h('div', { class: 'notices', role: 'status' }, notice),
    main,
    footer && h('footer', { class: 'page-footer' }, footer),
    live,
    h('div', { class: 'drop-frame', 'aria-hidden': 'true' }, dropText),
  );
  root.append(page);
  scope.add(() => {
    page.remove();
  });

  return {
    page,
    main,
    announce(sentence) {
      setText(live, sentence);
    },
    setNotice(message) {
      setText(noticeText, message ?? '');
      notice.hidden = message === null;
    },
    setDragging(dragging, message) {
      page.classList.toggle('is-dragging', dragging);
      setText(dropText, message);
    },
    setBusy: languages.setBusy,
  };
}
