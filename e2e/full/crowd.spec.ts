/** 400 speakers: the page has elements only for visible items, and creates speaker lists only when they are opened. */
import { readFileSync } from 'node:fs';
import { expect, test, type Page } from '../../test/browser/test';
import { drop } from '../../test/browser/editor';

const SPEAKERS = 400;
const FILE = { name: '400-speakers.rttm', text: readFileSync('e2e/fixtures/cases/400-speakers.rttm', 'utf8') };
/** Ten times the visible elements. A list for each of 400 speakers would have 160,000 options. */
const MAX_ELEMENTS = 3000;

const names = (page: Page) => page.getByTestId('speaker-name');
const matches = (page: Page) => page.getByTestId('speaker-match');

test('400 speakers need few elements, and each can be named, found and merged', async ({ page }) => {
  await page.goto('index.html');
  await drop(page, FILE);
  await expect(page.getByTestId('state')).toHaveAttribute('data-state', 'done');
  await expect(page.getByTestId('summary')).toContainText('400');
  await expect(page.locator('.track-label').first()).toBeVisible();
  expect(await page.locator('*').count()).toBeLessThan(MAX_ELEMENTS);
  expect(await page.getByTestId('speaker-row').count()).toBeLessThan(30);
  expect(await page.locator('.track-label').count()).toBeLessThan(40);
  await expect(page.getByTestId('speaker-row').first()).toHaveAttribute('aria-setsize', String(SPEAKERS));

  await test.step('the list of speakers scrolls to its end', async () => {
    await page.locator('.speakers').evaluate((list) => {
      list.scrollTop = list.scrollHeight;
    });
    await expect(page.getByTestId('speaker-row').last()).toHaveAttribute('aria-posinset', String(SPEAKERS));
    expect(await page.getByTestId('speaker-row').count()).toBeLessThan(30);
  });

  await test.step('typed text remains in a field while the list scrolls', async () => {
    await names(page).last().fill('Zoe');
    await page.locator('.speakers').evaluate((list) => {
      list.scrollTop = 0;
    });
    await expect(page.getByTestId('speaker-row').first()).toHaveAttribute('aria-posinset', '1');
    await expect(names(page).last()).toBeFocused();
    await expect(names(page).last()).toHaveValue('Zoe');
    await page.keyboard.press('Enter');
    await expect(page.getByTestId('undo')).toBeEnabled();
  });

  await test.step('the tracks scroll with their labels', async () => {
    await page.locator('.tracks__scroller').evaluate((scroller) => {
      scroller.scrollTop = scroller.scrollHeight;
    });
    await expect(page.locator('.track-label').last()).toHaveAttribute('aria-posinset', String(SPEAKERS));
    await expect(page.locator('.track-label').last()).toContainText('Zoe');
    expect(await page.locator('.track-label').count()).toBeLessThan(40);
  });

  await test.step('a speaker is found by name; leaving the list merges no speakers', async () => {
    const merge = page.getByTestId('merge-speaker').first();
    await merge.click();
    expect(await matches(page).count()).toBeLessThanOrEqual(50);
    await page.keyboard.type('zo');
    await expect(matches(page)).toHaveText(['Zoe']);
    for (const leave of ['Escape', 'Tab']) {
      await page.keyboard.press(leave);
      await expect(matches(page)).toHaveCount(0);
      await expect(page.getByTestId('summary')).toContainText('400');
      await merge.click();
      await page.keyboard.type('zo');
    }
    await page.keyboard.press('Enter');
    await expect(page.getByTestId('summary')).toContainText('399');
    // The speaker who replaced the other one, at the end of the list.
    await expect(page.locator('[data-testid="speaker-name"]:focus')).toHaveValue('Zoe');
    await page.getByTestId('undo').click();
    await expect(page.getByTestId('summary')).toContainText('400');
  });

  await test.step('the review also has no list for each speaker', async () => {
    await page.getByTestId('tab-review').click();
    await expect(page.getByTestId('brief-row').first()).toBeVisible();
    expect(await page.getByTestId('brief-row').count()).toBeLessThan(40);
    expect(await page.locator('*').count()).toBeLessThan(MAX_ELEMENTS);
    await page.getByTestId('review-other').click();
    await page.keyboard.type('zoe');
    await page.keyboard.press('Enter');
    await expect(page.getByTestId('editor-status')).toContainText('Zoe');
  });
});
