/** Renders the icons of the installed app from `public/favicon.svg` in a browser: `npx tsx scripts/makeIcons.ts`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { findChromium } from '../cli/chromium';

const PUBLIC = join(import.meta.dirname, '../public');

/** Side in pixels and fraction covered by the mark. Platforms crop maskable icons to a circle of 80 %. */
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
  // Use the page's background color, because a transparent icon would be invisible on a dark launcher.
  await page.setContent(
    `<body style="margin:0;display:grid;place-items:center;height:100vh;background:#efece5"><img src="${source}" width="${side * share}">`,
  );
  await page.screenshot({ path: join(PUBLIC, 'icons', file) });
}
await browser.close();
