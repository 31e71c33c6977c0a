import type { Driver } from '../driver';

/** Height of the viewport outside of screenshots, in CSS pixels. */
export const VIEWPORT_HEIGHT = 900;
/** A page needs two or three: its plots adapt to their new width. */
const MAX_RESIZES = 8;

/** Operations of a browser for a screenshot. */
interface Capture {
  readonly evaluate: Driver['evaluate'];
  /** Resizes the viewport or the window, in CSS pixels. */
  readonly resize: (widthPixels: number, heightPixels: number) => Promise<void>;
  /** Height of the window beside its viewport, in CSS pixels. */
  readonly frameHeight?: () => number;
  /** PNG of the viewport. */
  readonly capture: () => Promise<Buffer>;
}

/**
 * PNG of a page in a viewport as tall as the page, because browsers do not lay out rows outside the viewport. Waits until the
 * page has rendered at its new size.
 */
export async function captureWholePage({ evaluate, resize, frameHeight, capture }: Capture, widthPixels: number): Promise<Buffer> {
  const resizeAndRender = async (height: number): Promise<number> => {
    await resize(widthPixels, height);
    await evaluate(() => new Promise<void>((resolve) => {
      requestAnimationFrame(() => requestAnimationFrame(() => { resolve(); }));
    }));
    const frame = frameHeight ? await evaluate(frameHeight) : 0;
    return frame + await evaluate(() => document.documentElement.scrollHeight);
  };
  try {
    let height = await resizeAndRender(VIEWPORT_HEIGHT);
    for (let count = 0; count < MAX_RESIZES; count++) {
      const next = await resizeAndRender(height);
      if (next === height) break;
      height = next;
    }
    return await capture();
  } finally {
    await resize(widthPixels, VIEWPORT_HEIGHT);
  }
}
