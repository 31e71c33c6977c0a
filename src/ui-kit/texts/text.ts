import type { BackendReport } from '../../engine/types';
import { appDe, errorsDe, modelsDe, unexpectedDe, unreadableDe } from './de';
import { appEn, errorsEn, modelsEn, unexpectedEn, unreadableEn } from './en';
import { inLanguage } from './language';

/** Every word about presets and models on the main page, in its language. */
export const modelsText = inLanguage(modelsEn, { de: modelsDe });

/** Every word of the page, in its language: a file for each language and area is in `texts/`. */
export const text = {
  ...inLanguage(appEn, { de: appDe }),
  errors: inLanguage(errorsEn, { de: errorsDe }),
  unexpected: inLanguage(unexpectedEn, { de: unexpectedDe }),
  unreadable: inLanguage(unreadableEn, { de: unreadableDe }),
  models: modelsText,
};

/** `WebGPU · <adapter>` or `WASM · 2 threads`. */
export function backendName(backend: BackendReport): string {
  return backend.name === 'webgpu'
    ? ['WebGPU', backend.adapter].filter(Boolean).join(' · ')
    : `WASM · ${text.details.threads(backend.threads)}`;
}
