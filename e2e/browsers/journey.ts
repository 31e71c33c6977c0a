/**
 * One journey through the product, identical in every browser. The tests depend on each other: each continues from the
 * state of the previous one.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readBundle } from '../../src/compare/files/bundle';
import { parseRttm } from '../../src/formats/rttm';
import { appEn } from '../../src/ui-kit/texts/en';
import { sampleWav } from '../../test/audio/sampleWav';
import type { Turn } from '../../src/index';
import type { BrowserKind, Driver } from './driver';
import { formatTests } from './formats';
import { PAGES } from './pages';
import { type AppServer, serveApp, serveWithoutHeaders } from './servers';
import { startBrowser, type StartedBrowser } from './startBrowser';
import { takeDownload, waitFor, waitForAttribute, waitForCount, waitForText } from './waiting';
import { describeUnless } from '../../test/skips';

const SCREENSHOTS = 'test-results/browsers';
/** Widths of a phone and of a computer, in CSS pixels. Tests after screenshots continue at the last. */
const WIDTHS = [390, 1280] as const;
/** Only ends tests that hang. Diarizing the sample takes 3 to 6 s on two idle cores. */
const RUN_SECONDS = 240;

/** One window of the sample with both speakers. */
const CLIP = sampleWav(7, 8);

/** Golden outputs that the page offers, one bundle for each model. */
const GOLDENS = 'public/goldens';
const BUNDLES = readdirSync(GOLDENS).filter((name) => name.endsWith('.zip'));

/** Turn that is played and edited. It starts at 9.9 s. */
const TURN = 4;
/** Duration of the sample. */
const SAMPLE_SECONDS = 30;
/** The clock of the page has two decimals. */
const CLOCK_SECONDS = 0.01;
/** Amount of audio that must be played. Firefox detects a missing sound output within less. */
const PLAYED_SECONDS = 0.5;

const byTestId = (id: string): string => `[data-testid="${id}"]`;
const STATE = byTestId('state');
const ROWS = byTestId('turn-row');

export function journey(kind: BrowserKind): void {
  const missing = kind.missing();
  describeUnless(missing)(kind.name, () => {
    let browser: StartedBrowser;
    let driver: Driver;
    let downloads: string;
    let server: AppServer;

    beforeAll(async () => {
      server = await serveApp();
      browser = await startBrowser(kind);
      ({ driver, downloads } = browser);
    });
    afterAll(async () => {
      await browser.end();
      await server.end();
    });

    const go = (page: string): Promise<void> => driver.open(server.address + page);
    const exportedText = async (name: string): Promise<string> => {
      await driver.click(byTestId('export'));
      await driver.click(byTestId('download-rttm'));
      return takeDownload(downloads, `${name}.rttm`);
    };
    const turnsOf = (text: string): Turn[] => [...parseRttm(text).values()][0]!;
    const exportedTurns = async (name: string): Promise<Turn[]> => turnsOf(await exportedText(name));
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

    /** Saves the page at each width, and checks that no content is wider than the page. */
    const takeScreenshots = async (name: string): Promise<void> => {
      mkdirSync(SCREENSHOTS, { recursive: true });
      for (const width of WIDTHS) {
        writeFileSync(join(SCREENSHOTS, `${kind.name}-${name}-${width}.png`), await driver.screenshot(width));
        const shown = await driver.evaluate(() => ({ viewport: innerWidth, content: document.documentElement.scrollWidth }));
        expect(shown.viewport, 'width of the viewport').toBe(width);
        expect(shown.content, 'width of the content').toBeLessThanOrEqual(shown.viewport);
      }
    };

    it('screenshots of the result', () => takeScreenshots('result'));

    const transport = (): Promise<{ seconds: number; isPlaying: boolean; problem: string | null }> =>
      driver.evaluate(() => {
        const clock = document.querySelector('.clock__now')!.textContent;
        return {
          seconds: clock.split(':').reduce((sum, part) => 60 * sum + Number(part), 0),
          isPlaying: document.querySelector('.play[aria-label="Pause"]') !== null,
          problem: document.querySelector('.transport__problem:not([hidden])')?.textContent ?? null,
        };
      });
    /** Waits until half a second of the turn was played, or a message replaces playback. */
    const waitForPlayback = async (startSeconds: number): Promise<string | null> => {
      const found = await waitFor(
        driver,
        'playback, or a message about it',
        30,
        (from, ...selectors) => {
          const [clock, pause, message] = selectors.map((selector) => document.querySelector(selector));
          if (message) return message.textContent;
          const seconds = clock!.textContent.split(':').reduce((sum, part) => 60 * sum + Number(part), 0);
          return pause && seconds >= from ? 'playing' : null;
        },
        startSeconds + PLAYED_SECONDS,
        '.clock__now',
        '.play[aria-label="Pause"]',
        '.transport__problem:not([hidden])',
      );
      return found === 'playing' ? null : found;
    };

    /** Position after playback has stopped. A pause takes effect after the click. */
    const restingPosition = async (): Promise<number> => {
      for (let attempt = 0; attempt < 10; attempt++) {
        const { seconds } = await transport();
        await sleep(300);
        if ((await transport()).seconds === seconds) return seconds;
      }
      throw new Error('the position still moves 3 s after the pause');
    };

    it('a turn plays from its start and pauses; without a sound output, Firefox reports it and can play again', async () => {
      const { startSeconds } = (await exportedTurns('sample'))[TURN]!;
      await driver.click(`${ROWS}[data-index="${TURN}"]`);
      expect((await transport()).seconds).toBeGreaterThanOrEqual(startSeconds - CLOCK_SECONDS);
      let problem = await waitForPlayback(startSeconds);
      if (problem !== null && kind.needsSoundOutput) {
        expect(problem).toBe(appEn.done.playback['no-output']);
        // Firefox plays muted sound without an output.
        await driver.evaluate(() => {
          const play = Reflect.get(HTMLMediaElement.prototype, 'play');
          HTMLMediaElement.prototype.play = function (this: HTMLMediaElement) {
            this.muted = true;
            return play.call(this);
          };
        });
        await driver.click('.play');
        expect((await transport()).seconds).toBeGreaterThanOrEqual(startSeconds - CLOCK_SECONDS);
        problem = await waitForPlayback(startSeconds);
      }
      expect(problem).toBeNull();
      // The row is focused, so keys act on its turn.
      await waitForAttribute(driver, `${ROWS}[data-index="${TURN}"]`, 'aria-selected', 'true');
      await driver.click('.play');
      await waitForCount(driver, '.play[aria-label="Pause"]', 0);
      const paused = await restingPosition();
      // At the end, playback would also stop without the pause.
      expect(paused).toBeLessThan(SAMPLE_SECONDS - 1);
      console.log(`${kind.name}: played from ${startSeconds} to ${paused} s`);
    });

    it('a turn is edited, and undo restores it', async () => {
      const before = await exportedTurns('sample');
      await driver.click(byTestId('turn-end'));
      await driver.press('Control', 'a');
      await driver.type(String(before[TURN]!.endSeconds - 0.25));
      await driver.press('Enter');
      await waitForText(driver, `${ROWS}[data-index="${TURN}"]`, /corrected/);
      const edited = await exportedTurns('sample');
      expect(edited[TURN]!.endSeconds).toBeCloseTo(before[TURN]!.endSeconds - 0.25, 3);
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
      const text = await exportedText('sample');
      const before = turnsOf(text);
      await driver.click(`${ROWS}[data-index="0"]`);
      await driver.press('Delete');
      await waitForCount(driver, ROWS, 10);
      // Unchanged: the page must read its own export.
      const saved = join(downloads, 'again.rttm');
      writeFileSync(saved, text);
      await driver.chooseFiles(byTestId('import-input'), saved);
      await waitForCount(driver, ROWS, 11);
      expect(await exportedTurns('sample')).toEqual(before);
    });

    it('the work is restored after a reload', async () => {
      const before = await exportedTurns('sample');
      await driver.click(`${ROWS}[data-index="10"]`);
      await driver.press('Delete');
      await waitForCount(driver, ROWS, 10);
      await waitForAttribute(driver, STATE, 'data-kept', 'true');
      await driver.reload();
      await waitForAttribute(driver, STATE, 'data-state', 'done');
      await waitForCount(driver, ROWS, 10);
      await driver.click(byTestId('undo'));
      await waitForCount(driver, ROWS, 11);
      expect(await exportedTurns('sample')).toEqual(before);
      await waitForWaveform();
      // Otherwise, the browser asks whether to leave the page.
      await waitForAttribute(driver, STATE, 'data-kept', 'true');
    });

    formatTests(kind, () => driver, () => server);

    it('a compressed recording opens in the page with its waveform', async () => {
      await go(PAGES.app);
      await waitForAttribute(driver, STATE, 'data-state', 'empty');
      // With turns, so it is not diarized again.
      await driver.chooseFiles(byTestId('file-input'), resolve('e2e/fixtures/sample.mp3'), resolve('public/sample.rttm'));
      await waitForAttribute(driver, STATE, 'data-state', 'done', RUN_SECONDS);
      await waitForCount(driver, byTestId('speaker-row'), 2);
      await waitForWaveform();
    });

    it('the comparison panel opens', async () => {
      await go(PAGES.compare);
      await waitForAttribute(driver, STATE, 'data-state', 'empty');
    });

    it('there is a bundle of each shipped model', () => {
      expect(BUNDLES).toEqual(['campplus-zh-en.zip', 'segmentation-3.0.zip']);
    });

    // In one page, so that it loads ONNX Runtime once.
    it.each(BUNDLES)('each stage of %s passes in the comparison panel, and fails with a tolerance of 0', async (bundle) => {
      const path = resolve(GOLDENS, bundle);
      const { model, stages } = readBundle(readFileSync(path));
      await driver.chooseFiles(byTestId('file-input'), path);
      await waitForAttribute(driver, STATE, 'data-state', 'opened', RUN_SECONDS);
      await waitForText(driver, byTestId('model-name'), new RegExp(model));
      await driver.click(byTestId('backend-wasm'));
      await driver.click(byTestId('run'));
      await waitForAttribute(driver, STATE, 'data-state', 'done', RUN_SECONDS);
      await waitForText(driver, byTestId('verdict'), new RegExp(`All ${stages.length} stages pass$`, 'i'));
      await waitForAttribute(driver, byTestId('backend-verdict-wasm'), 'data-verdict', 'pass');
      const verdicts = await driver.evaluate(
        (names) => names.map((name) => document.querySelector<HTMLElement>(`[data-testid="verdict-wasm-${name}"]`)?.dataset.verdict),
        stages.map(({ name }) => name),
      );
      expect(verdicts).toEqual(stages.map(() => 'pass'));
      await takeScreenshots(basename(bundle, '.zip'));

      // The differences are measured, so none is exactly 0.
      const isOpen = await driver.evaluate((css) => document.querySelector<HTMLDetailsElement>(css)!.open, byTestId('tolerances'));
      if (!isOpen) await driver.click(`${byTestId('tolerances')} summary`);
      await driver.click(byTestId('tolerance-maxAbs-all'));
      await driver.press('Control', 'a');
      await driver.type('0');
      await driver.press('Enter');
      await waitForAttribute(driver, byTestId('backend-verdict-wasm'), 'data-verdict', 'fail');
      await waitForAttribute(driver, byTestId('backend-verdict-wasm'), 'data-first-divergence', stages[0]!.name);
    });

    it('nothing violated the Content-Security-Policy', () => {
      expect(server.violations).toEqual([]);
    });

    // The server is stopped from here on.
    it('after one visit, the page works without its server', async () => {
      await go(PAGES.app);
      await waitForAttribute(driver, byTestId('offline-state'), 'data-kept', 'ready', 60);
      await server.end();
      await expect(fetch(server.address)).rejects.toThrow();
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
