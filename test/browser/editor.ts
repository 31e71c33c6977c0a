import { readFileSync } from 'node:fs';
import { sampleWav } from '../audio/sampleWav';
import { expect, type BrowserContext, type Download, type Page } from './test';

/** A file to drop on the page. */
export interface DroppedFile {
  readonly name: string;
  readonly type?: string;
  /** Content; absent for a file fetched from `from` on the server. */
  readonly text?: string;
  readonly from?: string;
}

export const SAMPLE: DroppedFile = { name: 'sample.wav', type: 'audio/wav', from: 'sample.wav' };
export const SAMPLE_TURNS: DroppedFile = { name: 'sample.rttm', text: readFileSync('public/sample.rttm', 'utf8') };

/** Replaces the sample by 8 s of it with both speakers, for tests that need a run but not the full length. */
export async function shortenSample(context: BrowserContext): Promise<void> {
  await context.route('**/sample.wav', (route) => route.fulfill({ contentType: 'audio/wav', body: sampleWav(7, 8) }));
}

/** Drops files on the page like a user. */
export async function drop(page: Page, ...files: readonly DroppedFile[]): Promise<void> {
  const transfer = await page.evaluateHandle(async (given) => {
    const made = new DataTransfer();
    for (const { name, type = '', text, from } of given) {
      const content = from ? await (await fetch(from)).blob() : (text ?? '');
      made.items.add(new File([content], name, { type }));
    }
    return made;
  }, files);
  await page.getByTestId('state').dispatchEvent('drop', { dataTransfer: transfer });
}

/** Opens the sample with its reference turns for editing, without a run. */
export async function openSampleTurns(page: Page): Promise<void> {
  await page.goto('index.html');
  await drop(page, SAMPLE, SAMPLE_TURNS);
  await expect(page.getByTestId('state')).toHaveAttribute('data-state', 'done');
  await expect(page.getByTestId('turn-row').first()).toBeVisible();
}

/** Text of a download. */
export async function textOf(download: Download): Promise<string> {
  return readFileSync(await download.path(), 'utf8');
}

/** Exports with the menu. */
export async function exportAs(page: Page, format: string): Promise<Download> {
  await page.getByTestId('export').click();
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByTestId(`download-${format}`).click()]);
  return download;
}

/** Opens turns without a recording and scores them against a reference. */
export async function openScore(page: Page, hypothesis: string, reference: string): Promise<void> {
  await page.goto('index.html');
  await drop(page, { name: 'pair.rttm', text: hypothesis });
  await expect(page.getByTestId('state')).toHaveAttribute('data-state', 'done');
  await page.getByTestId('tab-score').click();
  await page.getByTestId('reference-input').setInputFiles({ name: 'reference.rttm', mimeType: 'text/plain', buffer: Buffer.from(reference) });
  await expect(page.getByTestId('reference-name')).toHaveText('reference.rttm');
}
