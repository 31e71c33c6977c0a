/**
 * Builds the app and the tool pages and serves them for the browser tests: `tsx test/serve.ts PORT`.
 *
 * With `--build` it only builds. With `VOXLANE_BUILT=1`, it serves the existing build.
 */
import { build, preview } from 'vite';
import { serveToolPages, toolPagesConfig } from '../scripts/toolPages.ts';

async function main(): Promise<void> {
  const [argument] = process.argv.slice(2);
  if (process.env.VOXLANE_BUILT !== '1') {
    await Promise.all([build({ logLevel: 'error' }), build(toolPagesConfig('cli')), build(toolPagesConfig('test'))]);
  }
  if (argument === '--build') return;
  const port = Number(argument);
  await preview({ preview: { host: '127.0.0.1', port, strictPort: true }, plugins: [serveToolPages(['cli', 'test'])] });
}

await main();
