/** Steps on the comparison page. */
import { expect, type Locator, type Page } from './test';

export const state = (page: Page): Locator => page.getByTestId('state');
/** Milliseconds. */
export const MINUTES = 60_000;

/** A file for a file input. */
export interface Upload {
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}

export const upload = (name: string, bytes: Uint8Array): Upload => ({ name, mimeType: 'application/octet-stream', buffer: Buffer.from(bytes) });

/** Opens the page and selects files. */
export async function openFiles(page: Page, files: string | Upload[]): Promise<void> {
  await page.goto('compare.html');
  await expect(state(page)).toHaveAttribute('data-state', 'empty');
  await page.getByTestId('file-input').setInputFiles(files);
  await expect(state(page)).toHaveAttribute('data-state', 'opened', { timeout: MINUTES });
}

/** Runs the opened files. */
export async function run(page: Page, backend: 'wasm' | 'webgpu' | 'both'): Promise<void> {
  await page.getByTestId(`backend-${backend}`).click();
  await page.getByTestId('run').click();
  await expect(state(page)).toHaveAttribute('data-state', 'done', { timeout: 5 * MINUTES });
}
