/** The languages of the page. Each table of texts exists in all of them. */
export const LANGUAGES = ['en', 'de'] as const;
export type Language = (typeof LANGUAGES)[number];

/** Each language by its own name, for users who cannot read the current language. */
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = { en: 'English', de: 'Deutsch' };

const KEY = 'voxlane-language';

/** The language chosen earlier; otherwise the first supported language of the browser; otherwise English. */
function chosenLanguage(): Language {
  const known = (tag: string): Language | undefined => LANGUAGES.find((language) => tag.toLowerCase().split('-')[0] === language);
  try {
    const stored = known(localStorage.getItem(KEY) ?? '');
    if (stored) return stored;
  } catch {
    // Storage can be blocked, and Node has none.
  }
  const preferred = typeof document === 'undefined' ? [] : navigator.languages;
  for (const tag of preferred) {
    const language = known(tag);
    if (language) return language;
  }
  return 'en';
}

/** Set once per page load: a change reloads the page, so that no text of the old language remains. */
export const language: Language = chosenLanguage();

/**
 * The attribute `lang` of engine messages, which are always English; null on an English page. Screen readers use it to
 * pronounce them as English.
 */
export const engineLanguage: Language | null = language === 'en' ? null : 'en';

export function rememberLanguage(next: Language): void {
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // The next page load uses the browser's language again.
  }
}

/**
 * The table in the page's language. The English table defines the shape (write it without `as const`, so that its
 * entries are of type `string`); the other languages must have every entry.
 */
export function inLanguage<T extends object>(en: T, others: Readonly<Record<Exclude<Language, 'en'>, NoInfer<T>>>): T {
  return language === 'en' ? en : others[language];
}
