import type { Scope } from '../util/scope';
import { h } from './dom';
import { text } from './text';
import { language, LANGUAGE_NAMES, LANGUAGES, rememberLanguage } from './texts/language';

/**
 * A button for each language, named in that language. Buttons and not a select, which would load the page anew while
 * somebody goes through its entries with the arrow keys.
 *
 * @param beforeReload called before the page reloads; must not reject
 */
export function languageSwitch(
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
      // Says why, on the group: a disabled button has no tooltip in every browser.
      element.title = busy ? text.languageBusy : '';
    },
  };
}
