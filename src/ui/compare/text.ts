import { compareDe } from '../texts/de/compare';
import { compareEn } from '../texts/en/compare';
import { inLanguage } from '../texts/language';

/** Every word of the panel, in its language. */
export const text = inLanguage(compareEn, { de: compareDe });
