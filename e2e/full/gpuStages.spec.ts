/** Every stage of both networks on our WGSL kernels, on Chromium's software adapter. Other hosts run the same tests. */
import { test } from '../../test/browser/test';
import { networkStageTests } from '../../test/kernels/networkStageTests';
import type { ShippedModel } from '../../src/store/manifest';

// One after the other, because a software adapter uses all cores.
test.describe.configure({ mode: 'default' });

let measureInPage: (id: ShippedModel) => ReturnType<typeof voxlaneKernels.networkStages>;

test.beforeEach(async ({ page }) => {
  test.setTimeout(300_000);
  await page.goto('test/kernels.html');
  await page.waitForFunction(() => 'voxlaneKernels' in globalThis);
  measureInPage = (id) => page.evaluate((asked) => voxlaneKernels.networkStages(asked), id);
});

networkStageTests((title, body) => { test(title, body); }, (id) => measureInPage(id));
