/** A result with more speakers than fit into a select: a search field replaces it. No model runs here. */
import { drop } from '../test/browser/editor';
import { expect, test, type Page } from '../test/browser/test';

const SPEAKERS = 60;
const nameAt = (index: number): string => `Guest_${String(index).padStart(2, '0')}`;
const TURNS = Array.from({ length: SPEAKERS }, (_, index) => `SPEAKER panel 1 ${3 * index}.000 2.000 <NA> <NA> ${nameAt(index)} <NA> <NA>\n`).join('');

const matches = (page: Page) => page.getByTestId('speaker-match');
const summary = (page: Page) => page.getByTestId('summary');

test('with many speakers, one is found by name, with the mouse and with keys, and leaving the list chooses none', async ({ page }) => {
  await page.goto('index.html');
  await drop(page, { name: 'panel.rttm', text: TURNS });
  await expect(summary(page)).toContainText(`${SPEAKERS} speakers`);
  const merge = page.getByTestId('merge-speaker').first();

  // The list names as many as it can show, and closes without a choice.
  await merge.click();
  await expect(merge).toHaveAttribute('aria-expanded', 'true');
  await expect(matches(page)).toHaveCount(50);
  // A speaker is not merged into itself.
  await expect(page.getByText('50 of 59 speakers. Type part of a name.')).toBeVisible();
  for (const key of ['Escape', 'Tab']) {
    await page.keyboard.type('guest_4');
    await expect(matches(page)).toHaveCount(10);
    await page.keyboard.press(key);
    await expect(matches(page)).toHaveCount(0);
    await expect(merge).toHaveValue('');
    await merge.click();
  }
  await page.keyboard.type('nobody');
  await expect(page.getByText('No matching speaker.')).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(summary(page)).toContainText(`${SPEAKERS} speakers`);

  // The arrow keys go around the list. Up from the first match first returns to the typed text.
  await merge.fill('guest_4');
  await expect(matches(page).first()).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('ArrowUp');
  await expect(merge).not.toHaveAttribute('aria-activedescendant');
  await page.keyboard.press('ArrowUp');
  await expect(matches(page).last()).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  const chosen = page.locator(`#${await merge.getAttribute('aria-activedescendant')}`);
  await expect(chosen).toHaveText(nameAt(41));
  await page.keyboard.press('Enter');
  await expect(summary(page)).toContainText(`${SPEAKERS - 1} speakers`);
  await expect(page.getByTestId('editor-status')).toContainText(`${nameAt(0)} was merged into ${nameAt(41)}`);
  await page.getByTestId('undo').click();
  await expect(summary(page)).toContainText(`${SPEAKERS} speakers`);

  // A press on a match keeps the focus in the field until the click chooses it.
  await page.getByTestId('turn-row').first().click();
  const field = page.getByTestId('turn-editor').getByRole('combobox');
  await expect(field).toHaveValue(nameAt(0));
  await field.click();
  await field.fill('59');
  await matches(page).filter({ hasText: nameAt(59) }).click();
  await expect(page.getByTestId('editor-status')).toHaveText(`Turn assigned to ${nameAt(59)}.`);
  await expect(field).toHaveValue(nameAt(59));

  // The list moves with the page: scrolling closes it only if its field moves in the page.
  await field.click();
  await expect(matches(page)).toHaveCount(50);
  await page.evaluate(() => { scrollBy(0, scrollY > 40 ? -40 : 40); });
  await page.evaluate(() => new Promise((resolve) => { requestAnimationFrame(() => requestAnimationFrame(resolve)); }));
  await expect(matches(page)).toHaveCount(50);
  await field.press('Escape');
  const speakers = page.locator('.speakers');
  await speakers.evaluate((list) => { list.scrollTop = 0; });
  await merge.click();
  await expect(matches(page)).toHaveCount(50);
  await speakers.evaluate((list) => { list.scrollTop = 20; });
  await expect(matches(page)).toHaveCount(0);

  // Only rows near the visible ones are in the page; the last one can be reached.
  const rows = page.getByTestId('speaker-row');
  expect(await rows.count()).toBeLessThan(SPEAKERS);
  await speakers.evaluate((list) => {
    list.scrollTop = list.scrollHeight;
  });
  await expect(rows.last()).toHaveAttribute('aria-posinset', String(SPEAKERS));
  await expect(page.getByTestId('speaker-name').last()).toHaveValue(nameAt(59));
});
