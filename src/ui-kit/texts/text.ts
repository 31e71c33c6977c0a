import type { BackendReport } from '../../engine/types';
import { appDe, errorsDe, modelsDe, unexpectedDe, unreadableDe } from './de';
import { appEn, errorsEn, modelsEn, unexpectedEn, unreadableEn } from './en';
import { inLanguage } from './language';

/** Texts about presets and models on the main page. */
const modelsText = inLanguage(modelsEn, { de: modelsDe });

/** Texts of the main page. */
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
