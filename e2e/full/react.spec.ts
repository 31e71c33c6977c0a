/** The component of `voxlane/react` from the published package: props, listeners, ref, slots, removal. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { installPackages, ROOT } from '../../test/packages/pack';
import { serveFolders } from '../../test/packages/servers';
import { expect, test } from '../../test/browser/test';
import { WITHOUT_GPU } from '../../test/browser/withoutGpu';

test.use({ ...WITHOUT_GPU, allowedOrigins: /^http:\/\/(127\.0\.0\.1|localhost):\d+$/ });

/** Another version of React: a folder with `react` and `react-dom` in its `node_modules`. Default: that of the repository. */
const OTHER_REACT = process.env.VOXLANE_REACT;

/** Logs the events, and exposes the state and the ref. */
const PAGE = `import { StrictMode, useRef, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { VoxlaneDiarizer } from 'voxlane/react';

const events = [];
const record = (event) => events.push([event.type, event.detail?.code ?? event.detail ?? null]);

function App() {
  const [props, setProps] = useState({ speakers: 2, backend: 'wasm', result: [{ startSeconds: 0, endSeconds: 2, speaker: 'Ada' }] });
  const ref = useRef(null);
  Object.assign(globalThis, { events, setProps, ref });
  return props && (
    <VoxlaneDiarizer {...props} ref={ref} className="wide" lang="en" onRename={record} onError={record} onTurnClick={record} onTimeUpdate={record}>
      <p slot="footer">{(props.result?.length ?? 0) + ' turns'}</p>
    </VoxlaneDiarizer>
  );
}

createRoot(document.querySelector('#app')).render(<StrictMode><App /></StrictMode>);
`;

interface Globals {
  readonly events: readonly [string, unknown][];
  readonly setProps: (props: Readonly<Record<string, unknown>> | null) => void;
  readonly ref: { readonly current: HTMLElementTagNameMap['voxlane-diarizer'] | null };
}

test('is a client component for frameworks with server components', async () => {
  const script = readFileSync(join(await installPackages(), 'node_modules/voxlane/dist/react.js'), 'utf8');
  expect(script).toMatch(/^"use client";/);
});

test('sets props, calls the latest listeners and gives the element to the ref', async ({ page }) => {
  test.setTimeout(300_000);
  const consumer = await installPackages();
  const folder = join(consumer, 'react-page');
  mkdirSync(folder, { recursive: true });
  const react = (name: string): string => join(OTHER_REACT ?? ROOT, 'node_modules', name);
  await build({
    stdin: { contents: PAGE, loader: 'jsx', resolveDir: ROOT },
    bundle: true,
    format: 'esm',
    jsx: 'automatic',
    outfile: join(folder, 'main.js'),
    alias: { react: react('react'), 'react-dom': react('react-dom'), 'voxlane/react': join(consumer, 'node_modules/voxlane/dist/react.js') },
    external: ['voxlane-assets'],
    define: { 'process.env.NODE_ENV': '"development"' },
  });
  writeFileSync(join(folder, 'index.html'), '<!doctype html><html lang="en"><meta charset="utf-8"><title>React</title><div id="app"></div><script type="module" src="main.js"></script>');
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.location().url.endsWith('favicon.ico')) complaints.push(message.text());
  });
  const server = await serveFolders({ '/': folder });
  try {
    await page.goto(server.address);
    const widget = page.locator('voxlane-diarizer');
    await expect(widget.locator('[part=turn]')).toHaveCount(1);
    await expect(widget).toHaveClass('wide');
    await expect(widget).toHaveAttribute('speakers', '2');
    await expect(page.getByText('1 turns')).toBeVisible();
    const name = page.getByRole('textbox', { name: 'Name of Ada' });
    await name.fill('Countess');
    await name.press('Enter');
    // A property that is no longer passed gets its default; a wrong one is an event.
    await page.evaluate(() => {
      const { setProps } = globalThis as unknown as Globals;
      const turns = [0, 1, 2].map((startSeconds) => ({ startSeconds, endSeconds: startSeconds + 1, speaker: `${startSeconds % 2}` }));
      setProps({ backend: 'wasm', result: turns, speakerNames: { 0: 'Zoe' }, currentTime: 1.5, minSpeakers: 0 });
    });
    await expect(widget.locator('[part=turn]', { hasText: 'Zoe' })).toHaveCount(2);
    await expect(widget).not.toHaveAttribute('speakers');
    await widget.locator('[part=turn]').nth(2).click();
    const state = await page.evaluate(() => {
      const { events, ref } = globalThis as unknown as Globals;
      const { current: element } = ref;
      return { events, names: element!.speakerNames, turns: element!.result!.turns.length, canPlay: typeof element!.play, isShown: element === document.querySelector('voxlane-diarizer') };
    });
    expect(state).toMatchObject({ names: { 0: 'Zoe' }, turns: 3, canPlay: 'function', isShown: true });
    // Each listener is called once, also in strict mode.
    const events = state.events.filter(([type]) => type !== 'timeupdate');
    expect(events).toEqual([
      ['rename', { speaker: 'Ada', name: 'Countess' }],
      ['error', 'options'],
      ['turnclick', { startSeconds: 2, endSeconds: 3, speaker: '0' }],
    ]);
    await page.evaluate(() => {
      (globalThis as unknown as Globals).setProps(null);
    });
    await expect(widget).toHaveCount(0);
    expect(await page.evaluate(() => (globalThis as unknown as Globals).ref.current)).toBeNull();
    expect(complaints).toEqual([]);
  } finally {
    server.stop();
  }
});
