import type { BackendReport } from '../pipeline/types';
import { modelsText } from './models/text';
import { appDe } from './texts/de/app';
import { errorsDe, unexpectedDe, unreadableDe } from './texts/de/errors';
import { appEn } from './texts/en/app';
import { errorsEn, unexpectedEn, unreadableEn } from './texts/en/errors';
import { inLanguage } from './texts/language';

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
