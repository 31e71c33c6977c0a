import type { Scope } from '../util/scope';

const KEY = 'voxlane-theme';
type Theme = 'light' | 'dark';

const darkQuery = (): MediaQueryList => matchMedia('(prefers-color-scheme: dark)');

function stored(): Theme | null {
  try {
    const value = localStorage.getItem(KEY);
    return value === 'light' || value === 'dark' ? value : null;
  } catch {
    // Storage can be forbidden; then the choice lasts as long as the page.
    return null;
  }
}

function apply(theme: Theme | null): void {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}

export interface ThemeControl {
  readonly toggle: () => void;
  /** Calls back whenever the colours change, by the button or by the system: canvases must be painted anew. */
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
      // Back on the system's side the choice is forgotten, so that the page follows the system again.
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
