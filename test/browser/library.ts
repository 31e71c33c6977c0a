import type { Page } from '@playwright/test';
import { openEngine } from './engine';
import { evaluatorOf } from './evaluator';
import { putSamples } from './samples';

/** Opens the engine page with {@link putSamples}. */
export async function loadSamples(page: Page): Promise<void> {
  await openEngine(page);
  await putSamples(evaluatorOf(() => page));
}
