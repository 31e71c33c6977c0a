/** Draws the icons of the installed app from `public/favicon.svg`, in a browser: `npx tsx scripts/makeIcons.ts`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { findChromium } from '../cli/chromium';

const PUBLIC = join(import.meta.dirname, '../public');

/** Side in pixels, and the part of it that the mark takes: platforms cut a maskable icon to a circle of 80 %. */
const ICONS = [
  { file: 'icon-192.png', side: 192, share: 0.72 },
  { file: 'icon-512.png', side: 512, share: 0.72 },
  { file: 'maskable-512.png', side: 512, share: 0.52 },
] as const;

const browser = await chromium.launch({
  executablePath: findChromium(),
  args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
});
const page = await browser.newPage({ colorScheme: 'light' });
const source = `data:image/svg+xml;base64,${readFileSync(join(PUBLIC, 'favicon.svg')).toString('base64')}`;
for (const { file, side, share } of ICONS) {
  await page.setViewportSize({ width: side, height: side });
  // The page's own paper behind it: an icon with holes would vanish on a dark launcher.
  await page.setContent(
    `<body style="margin:0;display:grid;place-items:center;height:100vh;background:#efece5"><img src="${source}" width="${side * share}">`,
  );
  await page.screenshot({ path: join(PUBLIC, 'icons', file) });
}
await browser.close();
