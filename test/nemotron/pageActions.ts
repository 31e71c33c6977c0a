/** What a user of the page does with the preset nemotron. */
import { expect, type Page } from '../browser/test';
import { NEMOTRON } from '../seededNemotron';

/** Time limit of one analysis on a busy machine. */
const ANALYSIS_MS = 180_000;

export const PIECE_BYTES = 1 << 20;
/** Row of the model in the list of stored models. */
export const STORED = `stored-model-${NEMOTRON.id}`;

export async function openOptions(page: Page): Promise<void> {
  // The page renders the options after its load event.
  await page.locator('details.options').waitFor();
  if (await page.locator('details.options:not([open])').count()) await page.locator('.options__summary').click();
}

export async function choose(page: Page): Promise<void> {
  await openOptions(page);
  await page.getByTestId('preset-nemotron').check();
}

/** Analyzes the sample. @returns the text of all turns */
export async function analyze(page: Page): Promise<string[]> {
  await page.getByTestId('try-sample').click();
  await expect(page.getByTestId('state')).toHaveAttribute('data-state', 'done', { timeout: ANALYSIS_MS });
  await expect(page.getByTestId('turn-row').first()).toBeVisible();
  return page.getByTestId('turn-row').allInnerTexts();
}

/** Number of stored pieces of models. */
export const numPieces = (page: Page): Promise<number> => page.evaluate(async () => (await (await caches.open('voxlane-models')).keys()).length);
