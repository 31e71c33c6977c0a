/** Scores of a result against a reference in the page. All expected figures come from pyannote.metrics. */
import { readFileSync } from 'node:fs';
import { parseRttm } from '../../src/formats/rttm';
import { parseUem } from '../../src/formats/uem';
import type { ScoreOptions } from '../../src/score/der';
import { scoreRecordings } from '../../src/score/score';
import type { DiarizationJson } from '../../test/browser/engine';
import { exportAs, openScore, textOf } from '../../test/browser/editor';
import { expect, test, type Page } from '../../test/browser/test';
import { WITHOUT_GPU } from '../../test/browser/withoutGpu';

test.use(WITHOUT_GPU);

interface Pair {
  readonly name: string;
  readonly reference: string;
  readonly hypothesis: string;
  readonly uem?: string;
  readonly options: ScoreOptions;
  readonly expected: Readonly<Record<'der' | 'jer' | 'correct' | 'missedSpeech' | 'falseAlarm' | 'confusion', number>>;
}

const REFERENCE = readFileSync('public/sample.rttm', 'utf8');
/**
 * Figures of pyannote.metrics 4.2.0 for the turns of a pyannote.audio run on the sample, rounded to milliseconds, against the
 * sample's annotation.
 */
const PYANNOTE = { der: 0.05203, jer: 0.0626 };

/** The figures shown by the page at full precision. */
async function figures(page: Page): Promise<Record<string, number>> {
  const ids = ['der', 'jer', 'correct', 'missed', 'confusion', 'false-alarm'];
  await expect(page.getByTestId('score-der')).toBeVisible();
  const values = await Promise.all(ids.map((id) => page.getByTestId(`score-${id}`).getAttribute('value')));
  return Object.fromEntries(ids.map((id, index) => [id, Number(values[index])]));
}

test('the sample: the error rates of the page match the command line and pyannote', async ({ page }) => {
  await page.goto('index.html');
  await page.getByTestId('try-sample').click();
  await expect(page.getByTestId('state')).toHaveAttribute('data-state', 'done', { timeout: 90_000 });
  const json = JSON.parse(await textOf(await exportAs(page, 'json'))) as DiarizationJson;
  await page.getByTestId('tab-score').click();
  await expect(page.getByTestId('score-der')).toBeHidden();
  await page.getByTestId('reference-input').setInputFiles('public/sample.rttm');

  for (const [mode, turns] of [['overlapping', json.turns], ['exclusive', json.exclusiveTurns]] as const) {
    await page.locator(`[data-testid="score-mode-${mode}"] + span`).click();
    const { der, jer, missedSpeech, falseAlarm, confusion } = scoreRecordings(parseRttm(REFERENCE), new Map([['sample', turns]]));
    await expect.poll(async () => (await figures(page)).der).toBeCloseTo(der, 5);
    const shown = await figures(page);
    // The JSON has microseconds.
    expect(shown.jer).toBeCloseTo(jer, 5);
    expect(shown.missed).toBeCloseTo(missedSpeech, 4);
    expect(shown['false-alarm']).toBeCloseTo(falseAlarm, 4);
    expect(shown.confusion).toBeCloseTo(confusion, 4);
    if (mode === 'overlapping') {
      expect(Math.abs(shown.der! - PYANNOTE.der)).toBeLessThan(1e-3);
      expect(Math.abs(shown.jer! - PYANNOTE.jer)).toBeLessThan(1e-3);
    }
  }
});

test('pairs scored by pyannote.metrics', async ({ page }) => {
  // Joining turns in the page does not affect these pairs.
  const pairs = JSON.parse(readFileSync('src/score/fixtures/joined.json', 'utf8')) as Pair[];
  expect(pairs.length).toBe(10);
  for (const { name, reference, hypothesis, uem, options, expected } of pairs) {
    await test.step(name, async () => {
      await openScore(page, hypothesis, reference);
      if (uem !== undefined) {
        expect(parseUem(uem).size).toBe(1);
        await page.getByTestId('uem-input').setInputFiles({ name: 'regions.uem', mimeType: 'text/plain', buffer: Buffer.from(uem) });
        await expect(page.getByTestId('uem-name')).toHaveText('regions.uem');
      }
      await page.getByTestId('score-collar').selectOption(String(options.collarSeconds ?? 0));
      await page.getByTestId('score-skip-overlap').setChecked(options.skipOverlap ?? false);
      const shown = await figures(page);
      const wanted = [expected.der, expected.jer, expected.correct, expected.missedSpeech, expected.confusion, expected.falseAlarm];
      Object.values(shown).forEach((value, index) => {
        expect(Math.abs(value - wanted[index]!), `figure ${index}: ${value}, not ${wanted[index]}`).toBeLessThan(1e-6);
      });
    });
  }
});
