/** The attribute `preset="nemotron"` permits the download of the model. It starts with the first recording, not before. */
import { expect, test } from '../../test/browser/test';
import { openWidget } from '../../test/browser/widget';
import { WITHOUT_GPU } from '../../test/browser/withoutGpu';
import { serveSeededModel } from '../../test/nemotron/seededHub';
import { NEMOTRON } from '../../test/seededNemotron';

test.use(WITHOUT_GPU);

const NUM_LAYERS = 2;

test('the widget downloads nemotron for the first recording, and uses the stored model for the next', async ({ page, context }) => {
  test.setTimeout(300_000);
  const requests = await serveSeededModel(context, NUM_LAYERS);
  await openWidget(page, { preset: 'nemotron' });
  await page.evaluate(() => {
    document.querySelector('voxlane-diarizer')!.options = { hub: new URL('/hub/', location.href) };
  });
  await page.evaluate(() => {
    const texts = new Set<string>();
    const root = document.querySelector('voxlane-diarizer')!.shadowRoot!;
    Object.assign(globalThis, { stepTexts: texts });
    new MutationObserver(() => texts.add(root.querySelector('.step')?.textContent ?? '')).observe(root, { subtree: true, childList: true, characterData: true });
  });
  // Time in which an unrequested download could start.
  await page.evaluate(() => new Promise((resolve) => { requestIdleCallback(resolve); }));
  expect(requests).toEqual([]);
  const run = (): Promise<string> => page.evaluate(async () => (await document.querySelector('voxlane-diarizer')!.diarize(clip(0, 8))).preset);
  expect(await run()).toBe('nemotron');
  const { repository, revision, file } = NEMOTRON.weights.hub!;
  expect(requests).toEqual([`/hub/${repository}/resolve/${revision}/${file}`]);
  const texts = await page.evaluate(() => [...(globalThis as unknown as { readonly stepTexts: ReadonlySet<string> }).stepTexts]);
  expect(texts.some((text) => /^Converting the model, once: .* MB of .* MB$/.test(text)), texts.join('\n')).toBe(true);
  expect(await run()).toBe('nemotron');
  expect(requests).toHaveLength(1);
});
