/** The start page of a returning visitor. */
import { expect, test } from '../test/browser/test';
import { drop, SAMPLE_TURNS } from '../test/browser/editor';

test('the layout of the start page is stable if the list of earlier work loads slowly', async ({ page }) => {
  await page.goto('index.html');
  await drop(page, SAMPLE_TURNS);
  await expect(page.getByTestId('state')).toHaveAttribute('data-state', 'done');
  await expect(page.getByTestId('state')).toHaveAttribute('data-kept', 'true');
  await page.addInitScript(() => {
    // The page stops waiting after a second, which can be too short on a busy machine. Disable timers of a second and more.
    const startTimer = setTimeout;
    globalThis.setTimeout = ((callBack: () => void, ms = 0) => (ms < 1000 ? startTimer(callBack, ms) : 0)) as typeof setTimeout;
    // Delay the list of keys by half a second.
    const { prototype } = IDBObjectStore;
    // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its object below
    const { getAllKeys } = prototype;
    prototype.getAllKeys = function (this: IDBObjectStore) {
      const request = getAllKeys.call(this);
      const late = { result: [] as IDBValidKey[], onsuccess: () => undefined };
      request.onsuccess = () => {
        setTimeout(() => {
          late.result = request.result;
          late.onsuccess();
        }, 500);
      };
      return late as unknown as typeof request;
    };
    const tops = new Set<number>();
    Object.assign(globalThis, { tops });
    const look = (): void => {
      const zone = document.querySelector('.drop-zone');
      if (zone) tops.add(Math.round(zone.getBoundingClientRect().top));
      requestAnimationFrame(look);
    };
    look();
  });
  await page.goto('index.html');
  await expect(page.getByTestId('open-kept')).toBeVisible();
  await expect(page.getByTestId('drop-zone')).toBeVisible();
  expect(await page.evaluate(() => [...(globalThis as unknown as { tops: Set<number> }).tops])).toHaveLength(1);
});

test('the start page appears even if storage never responds', async ({ page }) => {
  await page.addInitScript(() => {
    IDBFactory.prototype.open = () => ({}) as IDBOpenDBRequest;
  });
  await page.goto('index.html');
  await expect(page.getByTestId('try-sample')).toBeVisible();
  await expect(page.getByTestId('recent')).toBeHidden();
});
