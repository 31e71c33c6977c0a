/** Waveform, tracks and minimap: rendering, mouse and touch input. */
import type { Turn } from '../src/index';
import type { TracksPage } from '../test/pages/tracksPage';
import { drop, openSampleTurns, SAMPLE_TURNS } from '../test/browser/editor';
import { parseRttm } from '../src/formats/rttm';
import { expect, test, type Page } from '../test/browser/test';

const DURATION = 60;
const NUM_TURNS = 30;
/** As in src/ui-kit/tracks/geometry.ts. */
const [INSET, AXIS_HEIGHT, WAVE_HEIGHT, TRACK_HEIGHT, BAR_MIDDLE] = [8, 32, 64, 44, 22];

declare const voxlaneTracks: TracksPage;

/** Mounts the tracks with a generated minute. Returns its turns with track and id. */
async function mount(page: Page): Promise<(Turn & { readonly track: number; readonly id: number })[]> {
  await page.goto('test/tracks.html');
  await page.waitForFunction(() => 'voxlaneTracks' in globalThis);
  return page.evaluate(
    ({ durationSeconds, numTurns }) => {
      voxlaneTracks.mount({ durationSeconds, numTurns });
      const tracks = voxlaneTracks.tracks!.order();
      return tracks.flatMap(({ turns }, track) => turns.map((turn) => ({ id: -1, ...turn, track })));
    },
    { durationSeconds: DURATION, numTurns: NUM_TURNS },
  );
}

const heard = (page: Page, name: string): Promise<unknown[][]> =>
  page.evaluate((wanted) => voxlaneTracks.heard.filter(([each]) => each === wanted).map(([, ...given]) => given), name);

const scroller = (page: Page) => page.locator('.tracks__scroller');

/** Screen position of a time, with the whole recording in the window. */
async function place(page: Page, seconds: number, track: number, duration = DURATION): Promise<{ x: number; y: number }> {
  const box = (await scroller(page).boundingBox())!;
  return {
    x: box.x + INSET + (seconds / duration) * (box.width - 2 * INSET),
    y: box.y + AXIS_HEIGHT + WAVE_HEIGHT + track * TRACK_HEIGHT + BAR_MIDDLE,
  };
}

/** Number of non-background pixels of the waveform per column of the window. */
async function waveInk(page: Page): Promise<number[]> {
  // Wait two frames for painting.
  return page.evaluate(async () => {
    for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
    const canvas = document.querySelector<HTMLCanvasElement>('.tracks__stage canvas')!;
    const { width, height, data } = canvas.getContext('2d')!.getImageData(0, 38, canvas.width, 52);
    const same = (a: number, b: number): boolean => [0, 1, 2].every((channel) => Math.abs(data[a + channel]! - data[b + channel]!) < 8);
    return Array.from({ length: width }, (_, x) => {
      let ink = 0;
      for (let y = 0; y < height; y += 1) if (!same(4 * (y * width + x), 4 * x)) ink += 1;
      return ink;
    });
  });
}

/** Pixel counts during speech, and during silence with a margin of a quarter second on either side. */
function inkOf(ink: readonly number[], turns: readonly Turn[], duration: number): { speech: number[]; silence: number[] } {
  const secondsAt = (x: number): number => ((x - INSET + 0.5) / (ink.length - 2 * INSET)) * duration;
  const columns = ink.map((height, x) => ({ height, seconds: secondsAt(x) })).slice(INSET + 1, -INSET - 1);
  return {
    speech: columns
      .filter(({ seconds }) => turns.some((turn) => Math.abs((turn.startSeconds + turn.endSeconds) / 2 - seconds) < 0.1))
      .map(({ height }) => height),
    silence: columns
      .filter(({ seconds }) => turns.every((turn) => seconds < turn.startSeconds - 0.25 || seconds > turn.endSeconds + 0.25))
      .map(({ height }) => height),
  };
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

test('the waveform is drawn where there is sound', async ({ page }) => {
  const turns = await mount(page);
  const { speech, silence } = inkOf(await waveInk(page), turns, DURATION);
  expect(speech.length).toBeGreaterThan(25);
  expect(silence.length).toBeGreaterThan(25);
  expect(Math.min(...speech)).toBeGreaterThan(15);
  expect(Math.max(...silence)).toBeLessThanOrEqual(2);
});

test('the waveform of a recording is loaded when it is opened', async ({ page }) => {
  await openSampleTurns(page);
  const turns = parseRttm(SAMPLE_TURNS.text!).values().next().value!;
  await expect(page.locator('.tracks__wave-note')).toBeHidden();
  await expect.poll(async () => median(await waveInk(page))).toBeGreaterThan(2);
  const { speech, silence } = inkOf(await waveInk(page), turns, 30);
  expect(median(speech)).toBeGreaterThan(10);
  expect(median(silence)).toBeLessThan(0.5 * median(speech));
});

for (const withWebCodecs of [true, false]) {
  test(`the waveform of an M4A file is read ${withWebCodecs ? 'with' : 'without'} WebCodecs, and its worker ends`, async ({ page }) => {
    // Workers inherit nothing from the page, so modify the worker script.
    await page.route('**/decode.worker-*.js', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: `${withWebCodecs ? '' : 'delete globalThis.AudioDecoder;'}\n${await response.text()}` });
    });
    await page.route('**/sample.m4a', (route) => route.fulfill({ contentType: 'audio/mp4', path: 'e2e/fixtures/sample.m4a' }));
    const started = page.waitForEvent('worker', (worker) => worker.url().includes('/decode.worker-'));
    await page.goto('index.html');
    await drop(page, { name: 'sample.m4a', type: 'audio/mp4', from: 'sample.m4a' }, SAMPLE_TURNS);
    await started;
    await expect(page.locator('.tracks__wave-note')).toBeHidden();
    await expect.poll(async () => median(await waveInk(page))).toBeGreaterThan(2);
    await expect.poll(() => page.workers().filter((worker) => worker.url().includes('/decode.worker-')).length).toBe(0);
  });
}

test('zooming reaches one second, and the minimap moves the window', async ({ page }) => {
  await mount(page);
  const shown = page.getByTestId('minimap-window');
  await expect(shown).toBeHidden();
  await page.evaluate(() => {
    voxlaneTracks.tracks!.zoom(4);
  });
  const [whole, window] = await scroller(page).evaluate((element) => [element.scrollWidth, element.clientWidth] as const);
  expect(whole / window).toBeCloseTo(4, 1);
  await expect(shown).toHaveAttribute('aria-valuetext', /^0:00 to 0:15$/);

  const map = (await page.getByTestId('minimap').boundingBox())!;
  await page.mouse.click(map.x + map.width / 2, map.y + map.height / 2);
  await expect(shown).toHaveAttribute('aria-valuetext', /^0:2[23] to 0:3[78]$/);
  await page.mouse.move(map.x + map.width / 2, map.y + map.height / 2);
  await page.mouse.down();
  await page.mouse.move(map.x + map.width / 4, map.y + map.height / 2, { steps: 4 });
  await page.mouse.up();
  await expect(shown).toHaveAttribute('aria-valuetext', /^0:0[78] to 0:2[23]$/);
  await shown.press('End');
  await expect(shown).toHaveAttribute('aria-valuetext', /to 1:00$/);
  await shown.press('PageUp');
  await expect(shown).toHaveAttribute('aria-valuetext', /^0:3[12] to/);

  // With Ctrl, the wheel zooms around the pointer.
  const middle = await place(page, DURATION / 2, 0);
  await page.mouse.move(middle.x, middle.y);
  await page.keyboard.down('Control');
  for (let turn = 0; turn < 20; turn += 1) await page.mouse.wheel(0, -200);
  await page.keyboard.up('Control');
  await expect
    .poll(() => scroller(page).evaluate((element) => element.scrollWidth / element.clientWidth))
    .toBeCloseTo(DURATION, 0);
  await page.evaluate(() => {
    voxlaneTracks.tracks!.zoom(0);
  });
  await expect(shown).toBeHidden();
});

test('a click plays a turn, a double click loops it; edges, turns and new turns are dragged', async ({ page }) => {
  const turns = await mount(page);
  const turn = turns.find(({ id }) => id === 10)!;
  const middle = await place(page, (turn.startSeconds + turn.endSeconds) / 2, turn.track);
  await page.mouse.dblclick(middle.x, middle.y);
  expect(await heard(page, 'select')).toEqual([[10], [10]]);
  expect(await heard(page, 'turn')).toHaveLength(2);
  expect(await heard(page, 'loop')).toMatchObject([[{ id: 10 }]]);

  await page.evaluate(() => {
    voxlaneTracks.tracks!.setSelected(10);
  });
  const drag = async (from: { x: number; y: number }, to: { x: number; y: number }): Promise<void> => {
    await page.mouse.move(from.x, from.y);
    await page.mouse.down();
    await page.mouse.move((from.x + to.x) / 2, (from.y + to.y) / 2);
    await page.mouse.move(to.x, to.y);
  };
  // The grips appear in the next frame.
  await expect(page.getByTestId('grip-end')).toBeVisible();
  const end = (await page.getByTestId('grip-end').boundingBox())!;
  expect(Math.min(end.width, end.height)).toBeGreaterThanOrEqual(24);
  const grip = { x: end.x + end.width / 2, y: end.y + end.height / 2 };
  const box = (await scroller(page).boundingBox())!;
  const second = (box.width - 2 * INSET) / DURATION;

  await drag(grip, { x: grip.x + second, y: grip.y });
  await page.keyboard.press('Escape');
  await page.mouse.up();
  expect(await heard(page, 'move')).toEqual([]);
  await drag(grip, { x: grip.x + second, y: grip.y });
  await page.mouse.up();
  const [moved] = (await heard(page, 'move')) as [number, number, number][];
  expect(moved![0]).toBe(10);
  expect(moved![1]).toBe(turn.startSeconds);
  expect(moved![2]).toBeCloseTo(turn.endSeconds + 1, 1);

  const target = (turn.track + 2) % 4;
  await drag(middle, { x: middle.x + 40, y: middle.y + (target - turn.track) * TRACK_HEIGHT });
  await page.mouse.up();
  expect(await heard(page, 'assign')).toEqual([[10, `SPEAKER_0${target}`]]);

  const track = 0;
  const own = turns.filter((each) => each.track === track);
  const startSeconds = own.map(({ endSeconds }) => endSeconds + 0.2).find((at) => own.every((each) => at + 1 < each.startSeconds || at > each.endSeconds))!;
  const [from, to] = [await place(page, startSeconds, track), await place(page, startSeconds + 0.8, track)];
  // Without Shift, it is not a drag, and the click at its end moves the playhead.
  await drag(from, to);
  await page.mouse.up();
  expect(await heard(page, 'add')).toEqual([]);
  expect(await heard(page, 'seek')).toHaveLength(1);
  await page.keyboard.down('Shift');
  await drag(from, to);
  await page.mouse.up();
  await page.keyboard.up('Shift');
  const [added] = (await heard(page, 'add')) as [string, number, number][];
  expect(added![0]).toBe('SPEAKER_00');
  expect(added![1]).toBeCloseTo(startSeconds, 1);
  expect(added![2]).toBeCloseTo(startSeconds + 0.8, 1);
  // No drag was treated as a click.
  expect(await heard(page, 'turn')).toHaveLength(2);
  expect(await heard(page, 'seek')).toHaveLength(1);
});

test('dragging an edge changes the turn', async ({ page }) => {
  await openSampleTurns(page);
  const row = page.getByTestId('turn-row').first();
  await row.click();
  await page.getByRole('button', { name: 'Pause' }).click();
  const before = await row.locator('td').nth(1).innerText();
  const grip = (await page.getByTestId('grip-end').boundingBox())!;
  await page.mouse.move(grip.x + grip.width / 2, grip.y + grip.height / 2);
  await page.mouse.down();
  await page.mouse.move(grip.x + grip.width / 2 - 12, grip.y + grip.height / 2, { steps: 3 });
  await page.mouse.up();
  await expect(row.locator('td').nth(1)).not.toHaveText(before);
  await page.getByTestId('undo').click();
  await expect(row.locator('td').nth(1)).toHaveText(before);
});

test.describe('with touch', () => {
  test.use({ hasTouch: true, viewport: { width: 360, height: 740 } });

  test('edges are dragged, and tracks are scrolled', async ({ page }) => {
    const turns = await mount(page);
    await page.evaluate(() => {
      voxlaneTracks.tracks!.zoom(8);
      voxlaneTracks.tracks!.setSelected(0);
      voxlaneTracks.tracks!.setPosition(0, false);
    });
    const devTools = await page.context().newCDPSession(page);
    const swipe = async (from: { x: number; y: number }, dx: number): Promise<void> => {
      await devTools.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [from] });
      for (let step = 1; step <= 8; step += 1) {
        await devTools.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: [{ x: from.x + (dx * step) / 8, y: from.y }] });
      }
      await devTools.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
    };
    const grip = (await page.getByTestId('grip-end').boundingBox())!;
    await swipe({ x: grip.x + grip.width / 2, y: grip.y + grip.height / 2 }, 40);
    const moves = (await heard(page, 'move')) as [number, number, number][];
    expect(moves.map(([id, startSeconds]) => [id, startSeconds])).toEqual([[0, 0]]);
    const width = await scroller(page).evaluate((element) => element.scrollWidth);
    expect(moves[0]![2]).toBeCloseTo(turns.find(({ id }) => id === 0)!.endSeconds + (40 * DURATION) / (width - 2 * INSET), 1);
    expect(await scroller(page).evaluate((element) => element.scrollLeft)).toBe(0);

    const box = (await scroller(page).boundingBox())!;
    await swipe({ x: box.x + 250, y: box.y + AXIS_HEIGHT + 20 }, -150);
    await expect.poll(() => scroller(page).evaluate((element) => element.scrollLeft)).toBeGreaterThan(50);
    expect(await heard(page, 'move')).toHaveLength(1);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  });

  test('a pinch zooms the tracks and not the page', async ({ page }) => {
    await mount(page);
    const width = () => scroller(page).evaluate((element) => element.scrollWidth);
    const before = await width();
    const devTools = await page.context().newCDPSession(page);
    const box = (await scroller(page).boundingBox())!;
    const [middle, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const fingers = (apart: number) => [{ x: middle - apart, y, id: 0 }, { x: middle + apart, y, id: 1 }];
    await devTools.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: fingers(20) });
    for (let step = 1; step <= 6; step += 1) {
      await devTools.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: fingers(20 + 10 * step) });
    }
    await devTools.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
    // From 20 to 80 pixels on either side: a factor of four.
    expect(await width()).toBeGreaterThan(3.5 * before);
    expect(await width()).toBeLessThan(4.5 * before);
    expect(await page.evaluate(() => visualViewport!.scale)).toBe(1);
    // The pinch selected, moved and played nothing.
    expect(await heard(page, 'move')).toHaveLength(0);
  });
});
