/** The comparison page with 440 stages. */
import { expectNoSideways } from '../../test/browser/accessibilityTests';
import { openFiles, run, upload } from '../../test/browser/comparePanel';
import { makeLongChain, stageName } from '../../test/browser/longChain';
import { expect, test, type Locator, type Page } from '../../test/browser/test';

const NUM_STAGES = 440;
/** Index of a `Mul`. */
const WRONG = 199;

test.use({ viewport: { width: 1440, height: 900 } });

test('440 stages: the first divergence, one click to any stage, filter and search', async ({ page }) => {
  const { onnx, bundle } = makeLongChain(NUM_STAGES, WRONG, 12);
  await openFiles(page, [upload('chain.onnx', onnx), upload('chain.zip', bundle)]);
  await run(page, 'wasm');
  const wrong = stageName(WRONG);
  const details = page.getByTestId('detail-stage');
  const link = page.getByTestId('first-divergence').getByRole('button');
  await expect(link).toHaveText(wrong);
  await expect(details).toHaveText(wrong);
  await expect(page.getByTestId('stages-shown')).toHaveText('440 stages');

  // Stages missing from the graph are one expandable line.
  await expect(page.getByTestId('map-head.3.softmax')).toHaveCount(0);
  await page.getByTestId('mapping-summary').click();
  await expect(page.getByTestId('map-head.3.softmax')).toBeVisible();
  await page.getByTestId('mapping-summary').click();
  await expect(page.getByTestId('map-head.3.softmax')).toHaveCount(0);

  // A click shows the details of a stage beside the table.
  await stage(page, 0).click();
  await expectShown(page, 0, details);
  const [table, beside] = [await stage(page, 0).boundingBox(), await details.boundingBox()];
  expect(beside!.x).toBeGreaterThan(table!.x + table!.width);

  // The headline links to the first divergence.
  await link.click();
  await expectShown(page, WRONG, details);
  await expect(stage(page, WRONG)).toBeFocused();
  await expect(page.getByTestId('neighborhood-op')).toHaveText('Mul');
  const inputs = page.getByTestId('neighborhood-input');
  await expect(inputs.nth(0)).toContainText(`= Add(${stageName(WRONG - 2)}, ${stageName(WRONG - 1)}.term)`);
  await expect(inputs.nth(1)).toContainText('float32 (8)');
  // An input that is a stage links to it.
  await inputs.nth(0).getByRole('button').click();
  await expectShown(page, WRONG - 1, details);

  // Keyboard: stage to stage, to the last stage, and search.
  await page.keyboard.press('ArrowDown');
  await expectShown(page, WRONG, details);
  await page.keyboard.press('End');
  await expectShown(page, NUM_STAGES - 1, details);
  const search = page.getByTestId('stage-search');
  await search.fill('BLOCKS.7 relu');
  await expect(page.getByTestId('stages-shown')).toHaveText('11 of 440 stages');
  await page.keyboard.press('ArrowDown');
  await expect(details).toHaveText('blocks.7.relu');
  await page.keyboard.press('ArrowDown');
  await expect(details).toHaveText('blocks.70.relu');

  // The headline shows its stage even if the search hides it.
  await expect(stage(page, WRONG)).toBeHidden();
  await link.click();
  await expect(search).toHaveValue('');
  await expectShown(page, WRONG, details);

  await page.getByTestId('only-failing').check();
  await expect(page.getByTestId('stages-shown')).toHaveText(/^\d\d of 440 stages$/);
  await expect(stage(page, WRONG)).toBeVisible();
  await expect(stage(page, WRONG - 1)).toBeHidden();
  await expect(page.getByTestId(`verdict-wasm-${stageName(WRONG + 1)}`)).toHaveAttribute('data-inherited', 'true');
  await search.fill('no such stage');
  await expect(page.getByTestId('stages-shown')).toHaveText('No stage matches.');

  // On a phone, the details are below the table, and one click scrolls to them.
  await page.setViewportSize({ width: 390, height: 844 });
  await search.fill('');
  await stage(page, WRONG + 1).click();
  await expect(details).toHaveText(stageName(WRONG + 1));
  await expect(details).toBeInViewport();
  await page.getByTestId('back-to-table').click();
  await expect(stage(page, WRONG + 1)).toBeFocused();
  await expect(stage(page, WRONG + 1)).toBeInViewport();
  await link.click();
  await expect(details).toHaveText(wrong);
  await expect(details).toBeInViewport();
  await expectNoSideways(page, '440 stages');
});

/** The name of a stage in the table. */
const stage = (page: Page, index: number): Locator => page.getByTestId(`stage-row-${stageName(index)}`).getByRole('button');

/** Expects that the row and the details of a stage are in view. */
async function expectShown(page: Page, index: number, details: Locator): Promise<void> {
  await expect(details).toHaveText(stageName(index));
  await expect(details).toBeInViewport();
  await expect(stage(page, index)).toBeInViewport();
}
