/** Removed widgets leave no growing resources. test/full/gpuModels.test.ts counts GPU buffers. */
import type { CDPSession } from '@playwright/test';
import { expect, test } from '../../test/browser/test';
import { countHeld, held, putClip, useWidgets } from '../../test/browser/widget';

/** Warm-up, during which the page and the browser create persistent objects such as caches. */
const WARM_UP = 4;
/** Widgets created one by one, including the warm-up; then three at once. */
const ONE_BY_ONE = 8;
const GROUPS = 1;
const GROUP = 3;

/** Number of live objects with this prototype, direct or inherited. */
async function numObjects(devtools: CDPSession, prototype: string): Promise<number> {
  const { result } = await devtools.send('Runtime.evaluate', { expression: prototype });
  const { objects } = await devtools.send('Runtime.queryObjects', { prototypeObjectId: result.objectId!, objectGroup: 'counted' });
  const counted = await devtools.send('Runtime.callFunctionOn', {
    objectId: objects.objectId!,
    functionDeclaration: 'function () { return this.length; }',
    returnByValue: true,
  });
  await devtools.send('Runtime.releaseObjectGroup', { objectGroup: 'counted' });
  return counted.result.value as number;
}

/** Objects that a leaked widget would leave. */
const LEFT = ['Worker', 'AbortSignal', 'HTMLAudioElement', 'HTMLCanvasElement', 'Blob', 'Promise', 'Map', 'Set', 'ArrayBuffer'];

async function leftObjects(devtools: CDPSession): Promise<number[]> {
  // Objects freed in one round can make further objects collectable.
  for (let round = 0; round < 3; round++) await devtools.send('HeapProfiler.collectGarbage');
  const prototypes = ["customElements.get('voxlane-diarizer').prototype", ...LEFT.map((name) => `${name}.prototype`)];
  const counts: number[] = [];
  for (const prototype of prototypes) counts.push(await numObjects(devtools, prototype));
  return counts;
}

test('WASM: widgets leave no worker, no listener, no object URL and no object', async ({ page, context }) => {
  test.setTimeout(600_000);
  await countHeld(page);
  await page.goto('test/widget.html');
  await putClip(page);
  const devtools = await context.newCDPSession(page);
  const before = await held(page);
  for (let index = 0; index < WARM_UP; index++) await useWidgets(page, 1);
  // The browser terminates a worker with a delay and releases the widget only then.
  await expect.poll(() => page.workers().length).toBe(0);
  await expect.poll(async () => (await leftObjects(devtools))[0]).toBe(0);
  const objects = await leftObjects(devtools);
  for (let index = WARM_UP; index < ONE_BY_ONE; index++) await useWidgets(page, 1);
  for (let index = 0; index < GROUPS; index++) await useWidgets(page, GROUP);
  await expect.poll(() => held(page)).toMatchObject({ workers: 0, objectUrls: before.objectUrls, listeners: before.listeners });
  await expect.poll(() => page.workers().length).toBe(0);
  await expect.poll(() => leftObjects(devtools)).toEqual(objects);
  expect(objects[0]).toBe(0);
  const { started } = await held(page);
  console.log(`${started} workers started`);
  expect(started).toBeGreaterThan(ONE_BY_ONE);
});
