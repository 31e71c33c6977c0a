import type { Page } from '@playwright/test';

/** Opens the page of the GPU kernels and the adapter, and logs its name. */
export async function openKernels(page: Page): Promise<void> {
  await page.goto('test/kernels.html');
  await page.waitForFunction(() => 'voxlaneKernels' in globalThis);
  console.log(`kernels on ${await page.evaluate(() => voxlaneKernels.open())}`);
}

export const toBase64 = (values: Float32Array): string =>
  Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');

export const fromBase64 = (text: string): Float32Array<ArrayBuffer> =>
  new Float32Array(Uint8Array.from(Buffer.from(text, 'base64')).buffer);
