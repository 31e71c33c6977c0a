import { modelsDe } from '../texts/de/models';
import { modelsEn } from '../texts/en/models';
import { inLanguage } from '../texts/language';

/** Every word about presets and models on the main page, in its language. */
export const modelsText = inLanguage(modelsEn, { de: modelsDe });
