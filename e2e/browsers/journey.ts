/**
 * One journey through the product, identical in every browser. The tests depend on each other: each continues from the
 * state of the previous one.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseRttm } from '../../src/formats/rttm';
import { sampleWav } from '../../test/audio/sampleWav';
import type { Turn } from '../../src/index';
import type { BrowserKind, Driver } from './driver';
import { formatTests } from './formats';
import { PAGES } from './pages';
import { serveApp, serveWithoutHeaders, type TestServer } from './servers';
import { takeDownload, waitFor, waitForAttribute, waitForCount, waitForText } from './waiting';
import { describeUnless } from '../../test/skips';

const SCREENSHOTS = 'test-results/browsers';
const WIDTHS = [1280, 390] as const;
/** Diarizing the sample takes 3 to 6 s on two idle cores. */
const RUN_SECONDS = 90;

/** One window of the sample with both speakers. */
const CLIP = sampleWav(7, 8);

const byTestId = (id: string): string => `[data-testid="${id}"]`;
const STATE = byTestId('state');
const ROWS = byTestId('turn-row');

export function journey(kind: BrowserKind): void {
  const missing = kind.missing();
  describeUnless(missing)(kind.name, () => {
    let driver: Driver;
    let server: TestServer;
    const downloads = mkdtempSync(join(tmpdir(), 'voxlane-downloads-'));

    beforeAll(async () => {
      server = await serveApp();
      driver = await kind.start(downloads);
    });
    afterAll(async () => {
      await driver.close();
      await server.end();
      rmSync(downloads, { recursive: true, force: true });
    });

    const go = (page: string): Promise<void> => driver.open(server.address + page);
    const exportedTurns = async (name: string): Promise<Turn[]> => {
      await driver.click(byTestId('export'));
      await driver.click(byTestId('download-rttm'));
      return [...parseRttm(await takeDownload(downloads, `${name}.rttm`)).values()][0]!;
    };
    /** Opens the sample with its button and waits for the result. */
    const trySample = async (): Promise<void> => {
      await waitForCount(driver, byTestId('try-sample'), 1);
      await driver.click(byTestId('try-sample'));
      await waitForAttribute(driver, STATE, 'data-state', 'done', RUN_SECONDS);
    };

    /** The page shows a note until the waveform is loaded, or if it cannot be loaded. */
    const waitForWaveform = async (): Promise<void> => {
      await waitFor(driver, 'the waveform', RUN_SECONDS, () => document.querySelector('.tracks__wave-note')?.textContent === '');
    };

    it('the sample: 11 turns of 2 speakers, and a waveform', async () => {
      await go(PAGES.app);
      await trySample();
      await waitForCount(driver, ROWS, 11);
      await waitForCount(driver, byTestId('speaker-row'), 2);
      await waitForText(driver, byTestId('backend-line'), /WASM/);
      await waitForText(driver, byTestId('self-check'), /^Self-check: passed/);
      await waitForWaveform();
    });

    it('screenshots of the result', async () => {
      mkdirSync(SCREENSHOTS, { recursive: true });
      for (const width of WIDTHS) {
        writeFileSync(join(SCREENSHOTS, `${kind.name}-${width}.png`), await driver.screenshot(width));
        const shown = await driver.evaluate(() => ({ viewport: innerWidth, content: document.documentElement.scrollWidth }));
        expect(shown.viewport, 'width of the viewport').toBe(width);
        expect(shown.content, 'width of the content').toBeLessThanOrEqual(shown.viewport);
      }
      await driver.screenshot(WIDTHS[0]);
    });

    it('a turn plays; without sound hardware, the page stays usable', async () => {
      await driver.click(`${ROWS}[data-index="4"]`);
      const start = await driver.evaluate(() => document.querySelector('[data-index="4"] td')!.textContent);
      const seconds = (clock: string): number => clock.split(':').reduce((sum, part) => 60 * sum + Number(part), 0);
      const outcome = await waitFor(
        driver,
        'playing, or a note that this recording cannot be played',
        30,
        (from) => {
          const now = document.querySelector('.clock__now')!.textContent;
          if (now > from) return now;
          return document.querySelector('.transport__problem:not([hidden])')?.textContent ?? null;
        },
        start,
      );
      console.log(`${kind.name}: played from ${start} to ${outcome}`);
      if (/^\d/.test(outcome)) expect(seconds(outcome)).toBeGreaterThan(seconds(start));
      // The row is focused, so keys act on its turn.
      await waitForAttribute(driver, `${ROWS}[data-index="4"]`, 'aria-selected', 'true');
      // Pause if it is playing.
      const isPlaying = await driver.evaluate(() => document.querySelector('.play[aria-label="Pause"]') !== null);
      if (isPlaying) await driver.click('.play');
      await waitForCount(driver, '.play[aria-label="Pause"]', 0);
    });

    it('a turn is edited, and undo restores it', async () => {
      const before = await exportedTurns('sample');
      await driver.click(byTestId('turn-end'));
      await driver.press('Control', 'a');
      await driver.type(String(before[4]!.endSeconds - 0.25));
      await driver.press('Enter');
      await waitForText(driver, `${ROWS}[data-index="4"]`, /corrected/);
      const edited = await exportedTurns('sample');
      expect(edited[4]!.endSeconds).toBeCloseTo(before[4]!.endSeconds - 0.25, 3);
      await driver.click(byTestId('undo'));
      expect(await exportedTurns('sample')).toEqual(before);
    });

    it('the slider proposes another number of speakers, which can be accepted and undone', async () => {
      await driver.click(byTestId('tab-count'));
      await driver.click(byTestId('count-slider'));
      await driver.press('Home');
      await waitForText(driver, byTestId('count-answer'), /Preview: 1 speaker/);
      await waitFor(driver, 'the button to accept', 30, () => !document.querySelector<HTMLButtonElement>('[data-testid="count-accept"]')!.disabled);
      await driver.click(byTestId('count-accept'));
      await waitForCount(driver, byTestId('speaker-row'), 1);
      await driver.click(byTestId('undo'));
      await waitForCount(driver, byTestId('speaker-row'), 2);
      await driver.click(byTestId('tab-turns'));
      await waitForCount(driver, ROWS, 11);
    });

    it('RTTM is exported and imported again', async () => {
      const before = await exportedTurns('sample');
      await driver.click(`${ROWS}[data-index="0"]`);
      await driver.press('Delete');
      await waitForCount(driver, ROWS, 10);
      const saved = join(downloads, 'again.rttm');
      writeFileSync(saved, before.map(({ startSeconds, endSeconds, speaker }) =>
        `SPEAKER sample 1 ${startSeconds.toFixed(3)} ${(endSeconds - startSeconds).toFixed(3)} <NA> <NA> ${speaker} <NA> <NA>\n`).join(''));
      await driver.chooseFiles(byTestId('import-input'), saved);
      await waitForCount(driver, ROWS, 11);
      expect(await exportedTurns('sample')).toEqual(before);
    });

    it('the work is restored after a reload', async () => {
      await driver.click(`${ROWS}[data-index="10"]`);
      await driver.press('Delete');
      await waitForCount(driver, ROWS, 10);
      await waitForAttribute(driver, STATE, 'data-kept', 'true');
      await driver.reload();
      await waitForAttribute(driver, STATE, 'data-state', 'done');
      await waitForCount(driver, ROWS, 10);
      await driver.click(byTestId('undo'));
      await waitForCount(driver, ROWS, 11);
      // Otherwise, the browser asks whether to leave the page.
      await waitForAttribute(driver, STATE, 'data-kept', 'true');
    });

    formatTests(kind, () => driver, () => server.address);

    it('a compressed recording opens in the page with its waveform', async () => {
      await go(PAGES.app);
      await waitForAttribute(driver, STATE, 'data-state', 'empty');
      // With turns, so it is not diarized again.
      await driver.chooseFiles(byTestId('file-input'), resolve('e2e/fixtures/sample.mp3'), resolve('public/sample.rttm'));
      await waitForAttribute(driver, STATE, 'data-state', 'done', RUN_SECONDS);
      await waitForCount(driver, byTestId('speaker-row'), 2);
      await waitForWaveform();
    });

    it('the goldens of segmentation-3.0 pass in the comparison panel', async () => {
      await go(PAGES.compare);
      await waitForAttribute(driver, STATE, 'data-state', 'empty');
      await driver.chooseFiles(byTestId('file-input'), resolve('public/goldens/segmentation-3.0.zip'));
      await waitForAttribute(driver, STATE, 'data-state', 'opened', RUN_SECONDS);
      await driver.click(byTestId('backend-wasm'));
      await driver.click(byTestId('run'));
      await waitForAttribute(driver, STATE, 'data-state', 'done', RUN_SECONDS);
      await waitForAttribute(driver, byTestId('backend-verdict-wasm'), 'data-verdict', 'pass');
    });

    it('nothing violated the Content-Security-Policy', () => {
      expect(server.violations).toEqual([]);
    });

    // The server is stopped from here on.
    it('after one visit, the page works without its server', async () => {
      await go(PAGES.app);
      await waitForAttribute(driver, byTestId('offline-state'), 'data-kept', 'ready', 60);
      await server.end();
      await driver.reload();
      await waitForAttribute(driver, STATE, 'data-state', 'empty');
      expect(await driver.evaluate(() => crossOriginIsolated)).toBe(true);
      const clip = join(downloads, 'clip.wav');
      writeFileSync(clip, CLIP);
      await driver.chooseFiles(byTestId('file-input'), clip);
      await waitForAttribute(driver, STATE, 'data-state', 'done', RUN_SECONDS);
      await waitForCount(driver, byTestId('speaker-row'), 2);
    });

    // Last, because it leaves the origin. Under automation, WebKit keeps storage in memory and deletes it with the origin's last page.
    it('the widget works on a page without isolation headers', async () => {
      const plain = await serveWithoutHeaders();
      try {
        await driver.open(plain.address + PAGES.widget);
        await waitFor(driver, 'the element', 30, () => customElements.get('voxlane-diarizer') !== undefined);
        expect(await driver.evaluate(() => crossOriginIsolated)).toBe(false);
        const found = await driver.evaluate(async (recording) => {
          const widget = document.createElement('voxlane-diarizer');
          widget.setAttribute('backend', 'wasm');
          document.getElementById('widgets')!.append(widget);
          const bytes = Uint8Array.from(atob(recording), (character) => character.charCodeAt(0));
          widget.source = new File([bytes], 'clip.wav', { type: 'audio/wav' });
          const { speakers, turns } = await widget.diarize();
          return { speakers: speakers.length, turns: turns.length, shown: widget.shadowRoot?.querySelectorAll('[part=turn]').length };
        }, CLIP.toString('base64'));
        expect(found.speakers).toBe(2);
        expect(found.turns).toBeGreaterThan(2);
        expect(found.shown).toBe(found.turns);
      } finally {
        await plain.end();
      }
    });
  });
}
