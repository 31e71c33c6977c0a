/** The languages of the page. Each table of words is written in all of them, side by side, in one place. */
export const LANGUAGES = ['en', 'de'] as const;
export type Language = (typeof LANGUAGES)[number];

/** Each language in its own words: who looks for it may not read the one that is shown. */
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = { en: 'English', de: 'Deutsch' };

const KEY = 'voxlane-language';

/** Chosen here before; otherwise the first of the browser's languages that the page speaks; otherwise English. */
function chosenLanguage(): Language {
  const known = (tag: string): Language | undefined => LANGUAGES.find((language) => tag.toLowerCase().split('-')[0] === language);
  try {
    const stored = known(localStorage.getItem(KEY) ?? '');
    if (stored) return stored;
  } catch {
    // Storage can be forbidden, and a test in Node has none.
  }
  const preferred = typeof document === 'undefined' ? [] : navigator.languages;
  for (const tag of preferred) {
    const language = known(tag);
    if (language) return language;
  }
  return 'en';
}

/** Decided once per load of the page: a change loads it anew, so that no word of the old language stays behind. */
export const language: Language = chosenLanguage();

/**
 * The attribute `lang` of what comes from the engine, which speaks English alone; null on an English page. With it a
 * screen reader says those words as the English that they are.
 */
export const engineLanguage: Language | null = language === 'en' ? null : 'en';

export function rememberLanguage(next: Language): void {
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // Then the page starts in the browser's language again.
  }
}

/**
 * The table in the page's language. The English one gives the shape (write it without `as const`, so that its words are
 * of type `string`); the others must have every entry of it.
 */
export function inLanguage<T extends object>(en: T, others: Readonly<Record<Exclude<Language, 'en'>, NoInfer<T>>>): T {
  return language === 'en' ? en : others[language];
}
