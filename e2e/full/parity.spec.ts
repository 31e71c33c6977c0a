/**
 * Compares every stage of every shipped bundle within the bundle's tolerances. CAM++ takes a minute and a half on Chromium's
 * software adapter, so e2e/browsers/firefoxGpu.test.ts covers both bundles in Firefox.
 */
import { SHIPPED_MODELS } from '../../src/store/manifest';
import { openEngine } from '../../test/browser/engine';
import { compareShipped, faultsOfParity } from '../../test/browser/parity';
import { expect, test } from '../../test/browser/test';

for (const [id, backend] of [...Object.keys(SHIPPED_MODELS).map((id) => [id, 'wasm'] as const), ['segmentation-3.0', 'webgpu'] as const]) {
  test(`${id} on ${backend}`, async ({ page }) => {
    await openEngine(page);
    expect(faultsOfParity(await compareShipped(page, id, backend), id, backend)).toEqual([]);
  });
}
