/** Several tabs that edit one result, and the prompt before leaving a page. */
import { seeded } from '../../test/editing/synthetic';
import { openSampleTurns } from '../../test/browser/editor';
import { expect, test, type BrowserContext, type Page } from '../../test/browser/test';
import { WITHOUT_GPU } from '../../test/browser/withoutGpu';

test.use(WITHOUT_GPU);

const SEED = 20_261_128;
const NUM_TRIES = 40;
/** Some edits change nothing, such as a second confirmation, and reloads discard unsaved edits. Their number depends on the machine. */
const FEWEST_STORED = NUM_TRIES / 2;

const stateOf = (page: Page) => page.getByTestId('state');

async function reopen(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await isOpen(page);
}

async function isOpen(page: Page): Promise<void> {
  await expect(stateOf(page)).toHaveAttribute('data-state', 'done');
  await expect(page.getByTestId('turn-row').first()).toBeVisible();
}

/** State shown by a tab, and whether it is shown as saved. */
interface Shown {
  readonly isSaved: boolean;
  readonly names: readonly string[];
  readonly rows: readonly string[];
}

const shownBy = (page: Page): Promise<Shown> =>
  page.evaluate(() => {
    const all = <E extends HTMLElement>(id: string): E[] => [...document.querySelectorAll<E>(`[data-testid="${id}"]`)];
    return {
      isSaved: all('state')[0]!.dataset.kept === 'true' && /saved/i.test(all('save-state')[0]!.textContent),
      names: all<HTMLInputElement>('speaker-name').map(({ value }) => value),
      rows: all('turn-row').map(({ textContent }) => textContent),
    };
  });

/** One edit with the controls of the page in one task. Names are unique. */
const edit = (page: Page, { kind, which, name }: { readonly kind: number; readonly which: number; readonly name: string }): Promise<void> =>
  page.evaluate(
    ([what, at, given]) => {
      const all = <E extends HTMLElement>(id: string): E[] => [...document.querySelectorAll<E>(`[data-testid="${id}"]`)];
      const one = <Of,>(items: readonly Of[]): Of => items[Math.floor(at * items.length)]!;
      const press = (key: string): void => {
        document.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
      };
      if (what < 0.5) {
        const field = one(all<HTMLInputElement>('speaker-name'));
        field.value = given;
        field.dispatchEvent(new Event('input', { bubbles: true }));
        field.dispatchEvent(new Event('change', { bubbles: true }));
        return;
      }
      if (what < 0.6) {
        all('add-speaker')[0]!.click();
        return;
      }
      one(all('turn-row')).click();
      const isMany = all('turn-row').length > 6;
      press(what < 0.7 ? 'c' : what < 0.9 ? String(1 + Math.floor(at * 9)) : isMany ? 'Delete' : 'a');
    },
    [kind, which, name] as const,
  );

interface StoredHistory {
  readonly annotation: { readonly speakers: readonly { readonly name: string | null }[]; readonly turns: readonly unknown[] };
  readonly done: readonly unknown[];
}

/** The history in the store. */
async function stored(page: Page): Promise<StoredHistory> {
  const id = new URL(page.url()).hash.slice('#work='.length);
  const text = await page.evaluate(
    (key) =>
      new Promise<string>((resolve, reject) => {
        const opening = indexedDB.open('voxlane-work');
        opening.onerror = () => {
          reject(new Error('no database'));
        };
        opening.onsuccess = () => {
          const get = opening.result.transaction('work').objectStore('work').get(key);
          get.onsuccess = () => {
            opening.result.close();
            resolve(String(get.result));
          };
        };
      }),
    `history/${id}`,
  );
  return JSON.parse(text) as StoredHistory;
}

/** Expects that all tabs show the same state as saved. */
async function expectAgreement(pages: readonly Page[]): Promise<Shown> {
  await expect
    .poll(async () => {
      // Without a channel, a tab checks the store on focus.
      for (const page of pages) await page.evaluate(() => window.dispatchEvent(new Event('focus')));
      const shown = await Promise.all(pages.map(shownBy));
      return shown.every((one) => one.isSaved && JSON.stringify(one) === JSON.stringify(shown[0]));
    })
    .toBe(true);
  return shownBy(pages[0]!);
}

/** @returns the number of stored edits at the end */
async function editInThreeTabs(context: BrowserContext, first: Page, numTries: number): Promise<number> {
  console.log(`seed ${SEED}`);
  const random = seeded(SEED);
  await openSampleTurns(first);
  await expect(stateOf(first)).toHaveAttribute('data-kept', 'true');
  const address = first.url();
  const pages = [first, await context.newPage(), await context.newPage()];
  await reopen(pages[1]!, address);
  await reopen(pages[2]!, address);

  const shownAsSaved = new Set<string>();
  const look = async (): Promise<void> => {
    for (const { isSaved, names } of await Promise.all(pages.map(shownBy))) {
      if (isSaved) for (const name of names) if (name.startsWith('given ')) shownAsSaved.add(name);
    }
  };
  for (let step = 0; step < numTries; step++) {
    const tab = Math.floor(random() * 3);
    await edit(pages[tab]!, { kind: random(), which: random(), name: `given ${step}` });
    const chance = random();
    if (chance < 0.06) {
      await pages[tab]!.reload();
      await isOpen(pages[tab]!);
    } else if (chance < 0.09) {
      // Close without notifying the page, as if the browser had ended it.
      await pages[tab]!.close({ runBeforeUnload: false });
      pages[tab] = await context.newPage();
      await reopen(pages[tab], address);
    } else if (chance < 0.3) await expect(stateOf(pages[tab]!)).toHaveAttribute('data-kept', 'true');
    await look();
    if (step % 40 === 39) await expectAgreement(pages);
  }
  const shown = await expectAgreement(pages);
  await look();
  const { annotation, done } = await stored(pages[0]!);
  const steps = JSON.stringify(done);
  expect(shownAsSaved.size).toBeGreaterThan(numTries / 10);
  for (const name of shownAsSaved) expect(steps).toContain(`"${name}"`);
  expect(shown.rows).toHaveLength(annotation.turns.length);
  expect(shown.names.filter((name) => name.startsWith('given '))).toEqual(annotation.speakers.flatMap(({ name }) => name ?? []));
  console.log(`${done.length} edits stored, ${shownAsSaved.size} names shown as saved`);
  return done.length;
}

test('three tabs: no edit shown as saved is lost, and all tabs agree', async ({ page, context }) => {
  // Edits that each wait for three pages.
  test.setTimeout(600_000);
  expect(await editInThreeTabs(context, page, NUM_TRIES)).toBeGreaterThan(FEWEST_STORED);
});

test('three tabs of a browser without Web Locks and BroadcastChannel', async ({ page, context }) => {
  await context.addInitScript(() => {
    Object.defineProperty(Navigator.prototype, 'locks', { value: undefined });
    Reflect.deleteProperty(globalThis, 'BroadcastChannel');
  });
  await editInThreeTabs(context, page, NUM_TRIES / 2);
});

test('a tab shows edits of another tab, undoes them, and reports deletion', async ({ page, context }) => {
  await openSampleTurns(page);
  await expect(stateOf(page)).toHaveAttribute('data-kept', 'true');
  const other = await context.newPage();
  await reopen(other, page.url());
  await page.getByTestId('speaker-name').first().fill('Ada');
  await page.getByTestId('speaker-name').first().press('Enter');
  await expect(page.getByTestId('save-state')).toHaveText('Saved in this browser');
  await expect(other.getByTestId('speaker-name').first()).toHaveValue('Ada');
  await other.getByTestId('undo').click();
  await expect(page.getByTestId('speaker-name').first()).not.toHaveValue('Ada');

  await other.getByTestId('new-recording').click();
  await other.getByTestId('delete-kept').click();
  await other.getByTestId('delete-kept-yes').click();
  await expect(page.getByTestId('save-state')).toHaveText('Not saved');
  await expect(page.getByText('Another tab deleted this result.')).toBeVisible();
  await page.getByTestId('redo').click();
  await expect(page.getByTestId('save-state')).toHaveText('Saved in this browser');
  await expect(other.getByTestId('open-kept')).toBeVisible();
  // Saved with its recording.
  await expect(stateOf(page)).toHaveAttribute('data-kept', 'true');
  await page.reload();
  await isOpen(page);
  await expect(page.getByTestId('speaker-name').first()).toHaveValue('Ada');
  await expect(page.getByTestId('no-sound')).toBeHidden();
});

test('a history of 300,000 steps can be loaded', async ({ page }) => {
  await openSampleTurns(page);
  await page.getByTestId('speaker-name').first().fill('Ada');
  await page.getByTestId('speaker-name').first().press('Enter');
  await page.getByTestId('speaker-name').first().fill('Bea');
  await page.getByTestId('speaker-name').first().press('Enter');
  await page.getByTestId('speaker-name').first().fill('Ada');
  await page.getByTestId('speaker-name').first().press('Enter');
  await expect(stateOf(page)).toHaveAttribute('data-kept', 'true');
  // Alternate between two names. Each half exceeds the limit of about 120,000 arguments per call.
  await page.evaluate(async (id) => {
    const opening = indexedDB.open('voxlane-work');
    await new Promise((resolve) => (opening.onsuccess = resolve));
    const objects = opening.result.transaction('work', 'readwrite').objectStore('work');
    const get = objects.get(`history/${id}`);
    await new Promise((resolve) => (get.onsuccess = resolve));
    const history = JSON.parse(String(get.result)) as { done: unknown[]; undone: unknown[] };
    const [first, there, back] = history.done;
    const half = Array.from({ length: 75_000 }, () => [there, back]).flat();
    const put = objects.put(JSON.stringify({ ...history, done: [first, ...half], undone: half.toReversed() }), `history/${id}`);
    await new Promise((resolve) => (put.onsuccess = resolve));
    opening.result.close();
  }, new URL(page.url()).hash.slice('#work='.length));
  await page.reload();
  await isOpen(page);
  await page.getByTestId('undo').click();
  await expect(page.getByTestId('speaker-name').first()).toHaveValue('Bea');
  await page.getByTestId('redo').click();
  await page.getByTestId('redo').click();
  await expect(page.getByTestId('speaker-name').first()).toHaveValue('Bea');
});

test.describe('leaving the page', () => {
  /** Whether the browser asks before closing the page. The page stays open. */
  async function asks(page: Page): Promise<boolean> {
    let isAsked = false;
    page.once('dialog', (dialog) => {
      isAsked = dialog.type() === 'beforeunload';
      void dialog.dismiss();
    });
    await page.close({ runBeforeUnload: true });
    // A page that does not ask closes soon.
    await expect.poll(() => isAsked || page.isClosed()).toBe(true);
    return isAsked;
  }

  test('asks only with an incomplete name or time and while saving', async ({ page }) => {
    await openSampleTurns(page);
    const name = page.getByTestId('speaker-name').first();
    await name.click();
    await page.keyboard.type('Ad');
    await expect(stateOf(page)).toHaveAttribute('data-kept', 'true');
    expect(await asks(page)).toBe(true);
    await page.keyboard.type('a');
    await page.keyboard.press('Enter');
    expect(await asks(page)).toBe(true);
    await expect(stateOf(page)).toHaveAttribute('data-kept', 'true');
    await page.getByTestId('turn-row').first().click();
    await page.getByTestId('turn-end').click();
    await page.keyboard.type('7');
    expect(await asks(page)).toBe(true);
    // Discarded input does not count.
    await page.keyboard.press('Escape');
    await name.click();
    await page.keyboard.type('Bea');
    await page.keyboard.press('Escape');
    expect(await asks(page)).toBe(false);
  });

  test('asks if nothing can be stored', async ({ page }) => {
    await page.addInitScript(() => {
      indexedDB.open = () => {
        throw new DOMException('blocked', 'SecurityError');
      };
    });
    await openSampleTurns(page);
    await page.getByTestId('turn-row').first().click();
    await expect(page.getByTestId('save-state')).toHaveText('Not saved');
    await expect(page.getByText('This browser cannot save your work')).toBeVisible();
    expect(await asks(page)).toBe(true);
  });

  test('asks during a run', async ({ page }) => {
    await page.goto('index.html');
    await page.getByTestId('try-sample').click();
    await expect(stateOf(page)).toHaveAttribute('data-state', /loading|running/);
    expect(await asks(page)).toBe(true);
  });

  test('an undone rename does not return after a language switch', async ({ page }) => {
    await openSampleTurns(page);
    const name = page.getByTestId('speaker-name').first();
    const before = await name.inputValue();
    await name.fill('Ada');
    await name.press('Enter');
    await expect(stateOf(page)).toHaveAttribute('data-kept', 'true');
    await page.getByTestId('undo').click();
    await page.getByTestId('language-de').click();
    await expect(page.locator('html')).toHaveAttribute('lang', 'de');
    await isOpen(page);
    await expect(name).not.toHaveValue('Ada');
    expect(before).not.toBe('Ada');
  });
});
