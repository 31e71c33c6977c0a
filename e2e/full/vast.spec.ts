/** More turns than the main thread can process at once: all are available, and only visible ones have elements. */
import { createReadStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test, type Page } from '../../test/browser/test';
import { drop, exportAs } from '../../test/browser/editor';
import { crowdLine, writeCrowd } from '../../test/app/crowd';

/** Rows for all turns would exceed the maximum height of an element. */
const CROWD = { numSpeakers: 1000, numTurns: 300_000 };
/** Ten times the visible elements. */
const MAX_ELEMENTS = 3000;

let folder = '';
test.beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
  writeCrowd(join(folder, 'crowd.rttm'), CROWD);
});
test.afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const rows = (page: Page) => page.getByTestId('turn-row');
const selectedRow = (page: Page) => page.locator('tr[aria-selected="true"]');

test('300,000 turns of 1,000 speakers are shown, edited and exported completely', async ({ page }) => {
  await page.goto('index.html');
  await page.getByTestId('file-input').setInputFiles(join(folder, 'crowd.rttm'));
  await expect(page.getByTestId('state')).toHaveAttribute('data-state', 'done', { timeout: 60_000 });
  await expect(page.getByTestId('summary')).toContainText('1,000 speakers · 300,000 turns');
  await expect(rows(page).first()).toBeVisible();
  expect(await page.locator('*').count()).toBeLessThan(MAX_ELEMENTS);
  await expect(page.getByRole('grid')).toHaveAttribute('aria-rowcount', String(CROWD.numTurns + 1));

  await test.step('the table reaches its ends by keyboard and by the scrollbar', async () => {
    await rows(page).first().click();
    await page.keyboard.press('End');
    await expect(page.locator('tr:focus')).toHaveAttribute('aria-rowindex', String(CROWD.numTurns + 1));
    const isInside = await page.locator('tr:focus').evaluate((row) => {
      const [box, own] = [row.closest('.turns__scroller')!.getBoundingClientRect(), row.getBoundingClientRect()];
      return own.top >= box.top && own.bottom <= box.bottom + 1;
    });
    expect(isInside).toBe(true);
    await page.keyboard.press('ArrowUp');
    await expect(page.locator('tr:focus')).toHaveAttribute('aria-rowindex', String(CROWD.numTurns));
    await page.keyboard.press('Home');
    await expect(page.locator('tr:focus')).toHaveAttribute('aria-rowindex', '2');
    const reached = await page.locator('.turns__scroller').evaluate(async (scroller) => {
      const indices: number[] = [];
      scroller.scrollIntoView({ block: 'center' });
      for (const part of [0.25, 0.5, 1]) {
        scroller.scrollTop = part * scroller.scrollHeight;
        await new Promise(requestAnimationFrame);
        await new Promise(requestAnimationFrame);
        const box = scroller.getBoundingClientRect();
        const row = document.elementFromPoint(box.left + 20, box.top + box.height / 2)?.closest('tr');
        indices.push(Number(row?.getAttribute('aria-rowindex')) / 300_000);
      }
      return indices;
    });
    for (const [index, part] of [0.25, 0.5, 1].entries()) expect(reached[index]).toBeCloseTo(part, 3);
    await page.locator('.turns__scroller').evaluate((scroller) => {
      scroller.scrollTop = 0;
    });
  });

  await test.step('a turn is deleted and restored', async () => {
    await rows(page).nth(2).click();
    await expect(selectedRow(page)).toHaveCount(1);
    await page.keyboard.press('Delete');
    await expect(page.getByTestId('summary')).toContainText('299,999 turns');
    await page.getByTestId('undo').click();
    await expect(page.getByTestId('summary')).toContainText('300,000 turns');
  });

  await test.step('functions for all turns explain why they are unavailable', async () => {
    for (const tab of ['review', 'transcript', 'score']) {
      await page.getByTestId(`tab-${tab}`).click();
      await expect(page.getByTestId('too-many-turns').filter({ visible: true })).toContainText('300,000');
    }
    await page.getByTestId('tab-turns').click();
  });

  await test.step('the export has every line', async () => {
    const path = await (await exportAs(page, 'rttm')).path();
    let count = 0;
    for await (const line of createInterface({ input: createReadStream(path) })) {
      if (`${line}\n` !== crowdLine(CROWD, count)) expect(`${line}\n`).toBe(crowdLine(CROWD, count));
      count += 1;
    }
    expect(count).toBe(CROWD.numTurns);
    const csv = readFileSync(await (await exportAs(page, 'csv')).path(), 'utf8');
    expect(csv.split('\r\n')).toHaveLength(CROWD.numTurns + 2);
  });

  await test.step('a worker computes the exclusive turns', async () => {
    await page.locator('.instrument').getByText('Exclusive').click();
    await expect(page.locator('input[value="exclusive"]')).toBeChecked();
    await expect(page.getByTestId('turn-editor')).toContainText('Exclusive turns');
    const csv = readFileSync(await (await exportAs(page, 'csv')).path(), 'utf8').split('\r\n').slice(1, 2000).map((line) => line.split(',').map(Number));
    for (const [index, [start]] of csv.entries()) if (index > 0) expect(start).toBeGreaterThanOrEqual(csv[index - 1]![1]! - 0.001);
  });
});

test('a file with more speakers than the page can show is rejected with both numbers', async ({ page }) => {
  await page.goto('index.html');
  const text = Array.from({ length: 5001 }, (_, turn) => crowdLine({ numSpeakers: 5001, numTurns: 5001 }, turn)).join('');
  await drop(page, { name: 'many.rttm', text });
  await expect(page.locator('.notice, [role="status"], [role="alert"]').filter({ hasText: '5,001 speakers' }).first()).toContainText('at most 1,000,000 turns and 5,000 speakers');
  await expect(page.getByTestId('state')).toHaveAttribute('data-state', 'empty');
});
