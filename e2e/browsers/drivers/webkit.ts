import { deadlineAfter } from '../deadline';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserKind, Driver, Key } from '../driver';
import { findCommand } from './findCommand';
import { captureWholePage } from './wholePage';

/** The key under which WebDriver sends references to elements. */
const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';
/** WebDriver's code points for non-printing keys. */
const KEY_CODES: Readonly<Record<string, string>> = {
  Control: '\uE009',
  Enter: '\uE007',
  Escape: '\uE00C',
  Tab: '\uE004',
  Delete: '\uE017',
  Home: '\uE011',
  ArrowLeft: '\uE012',
  ArrowUp: '\uE013',
  ArrowRight: '\uE014',
  ArrowDown: '\uE015',
};
const INSTALL =
  'apt-get install webkit2gtk-driver xvfb xauth gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-libav gstreamer1.0-gl';
const STARTED_SECONDS = 30;
const LOADED_SECONDS = 60;
const ANSWERED_SECONDS = 3;
/** Marks the document that is being left. */
const LEFT = 'documentIsLeft';
/** Taller than any page, for full-page screenshots. */
const SCREEN = '1400x8000x24';

/** WebKitGTK's MiniBrowser through its WebDriver. It has no headless mode, so it runs on a virtual display. */
export const webkit: BrowserKind = {
  name: 'webkit',
  needsSoundOutput: false,
  missing() {
    if (process.platform !== 'linux') return 'WebKit is tested on Linux only';
    const absent = ['WebKitWebDriver', 'xvfb-run', 'xauth'].filter((command) => !findCommand(command));
    if (absent.length > 0) return `WebKit is not installed (no ${absent.join(', ')}): ${INSTALL}`;
    return findMiniBrowser() ? null : `WebKit's MiniBrowser is not installed: ${INSTALL}`;
  },
  async start(downloadFolder) {
    const port = await freePort();
    const home = makeHome(downloadFolder);
    const command = ['-a', '-s', `-screen 0 ${SCREEN}`, 'WebKitWebDriver', `--port=${port}`];
    const child = spawn('xvfb-run', command, {
      // A separate process group that also contains the display and the browser.
      detached: true,
      stdio: 'ignore',
      env: { ...process.env, LANG: 'en_US.UTF-8', LANGUAGE: 'en', HOME: home, XDG_CONFIG_HOME: join(home, '.config'), XDG_DATA_HOME: join(home, 'data'), XDG_CACHE_HOME: join(home, 'cache') },
    });
    const session = new Session(`http://127.0.0.1:${port}`, child, home);
    await session.start();
    return session;
  },
};

/** Debian installs it in the library folder, under the name of the machine's architecture. */
function findMiniBrowser(): string | null {
  for (const library of ['/usr/lib', '/usr/libexec']) {
    const folders = existsSync(library) ? readdirSync(library).map((name) => join(library, name)) : [];
    for (const folder of [library, ...folders]) {
      const path = join(folder, 'webkit2gtk-4.1', 'MiniBrowser');
      if (existsSync(path)) return path;
    }
  }
  return null;
}

/** MiniBrowser's toolbar is wider than a phone screen unless its buttons are shrunk. */
const NARROW_TOOLBAR = '* { min-width: 0; min-height: 0; padding: 0; margin: 0; border-width: 0; -gtk-icon-transform: scale(0.1); font-size: 1px; }';

/** Creates a home folder whose download folder is `downloadFolder`. MiniBrowser saves there without asking. */
function makeHome(downloadFolder: string): string {
  const home = mkdtempSync(join(tmpdir(), 'voxlane-webkit-'));
  mkdirSync(join(home, '.config', 'gtk-3.0'), { recursive: true });
  writeFileSync(join(home, '.config', 'gtk-3.0', 'gtk.css'), NARROW_TOOLBAR);
  writeFileSync(join(home, '.config', 'user-dirs.dirs'), `XDG_DOWNLOAD_DIR="${downloadFolder}"\n`);
  return home;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (typeof address === 'object' && address) resolve(address.port);
        else reject(new Error('no free port'));
      });
    });
  });
}

/** A session of plain W3C WebDriver. */
class Session implements Driver {
  #path = '';

  constructor(
    private readonly base: string,
    private readonly child: ChildProcess,
    private readonly home: string,
  ) {}

  async start(): Promise<void> {
    const binary = findMiniBrowser();
    const capabilities = {
      alwaysMatch: {
        browserName: 'MiniBrowser',
        // The driver's built-in wait sometimes never ends.
        pageLoadStrategy: 'none',
        'webkitgtk:browserOptions': { binary, args: ['--automation'] },
      },
    };
    const deadline = deadlineAfter(STARTED_SECONDS);
    for (;;) {
      try {
        const { sessionId } = (await this.#ask('POST', '/session', { capabilities })) as { sessionId: string };
        this.#path = `/session/${sessionId}`;
        break;
      } catch (error) {
        // The display and the driver need a moment to start.
        const isConnection = error instanceof TypeError;
        if (!isConnection || deadline.isOver()) {
          await this.close();
          throw error;
        }
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
    await this.#ask('POST', '/timeouts', { script: 300_000, pageLoad: 60_000, implicit: 0 });
  }

  async open(address: string): Promise<void> {
    await this.#leave(() => this.#ask('POST', '/url', { url: address }));
  }

  async reload(): Promise<void> {
    await this.#leave(() => this.#ask('POST', '/refresh', {}));
  }

  async evaluate<Result, Parameters extends readonly unknown[]>(
    body: (...parameters: Parameters) => Result | Promise<Result>,
    ...parameters: Parameters
  ): Promise<Result> {
    // The driver's promise handling loses error messages.
    const script = `const done = arguments[arguments.length - 1];
      Promise.resolve().then(() => (${body.toString()})(...arguments[0]))
        .then((value) => done({ value }), (error) => done({ error: String(error?.stack ? error + '\\n' + error.stack : error) }));`;
    const reply = (await this.#ask('POST', '/execute/async', { script, args: [parameters] })) as { value?: Result; error?: string };
    if (reply.error !== undefined) throw new Error(reply.error);
    return reply.value as Result;
  }

  async click(selector: string): Promise<void> {
    // The driver's click does not support table rows.
    const { x, y } = await this.evaluate((css) => {
      const element = document.querySelector(css);
      if (!element) throw new Error(`the page has no ${css}`);
      element.scrollIntoView({ block: 'center', behavior: 'instant' });
      const { left, top, width, height } = element.getBoundingClientRect();
      return { x: Math.round(left + width / 2), y: Math.round(top + height / 2) };
    }, selector);
    const actions = [
      { type: 'pointerMove', origin: 'viewport', x, y, duration: 0 },
      { type: 'pointerDown', button: 0 },
      { type: 'pointerUp', button: 0 },
    ];
    await this.#ask('POST', '/actions', { actions: [{ type: 'pointer', id: 'mouse', parameters: { pointerType: 'mouse' }, actions }] });
  }

  async type(text: string): Promise<void> {
    await this.#keys(Array.from(text).flatMap((value) => [{ type: 'keyDown', value }, { type: 'keyUp', value }]));
  }

  async press(...keys: readonly Key[]): Promise<void> {
    const codes = keys.map((key) => KEY_CODES[key] ?? key);
    await this.#keys([
      ...codes.map((value) => ({ type: 'keyDown', value })),
      ...codes.toReversed().map((value) => ({ type: 'keyUp', value })),
    ]);
  }

  async chooseFiles(selector: string, ...paths: readonly string[]): Promise<void> {
    await this.#ask('POST', `/element/${await this.#find(selector)}/value`, { text: paths.join('\n') });
  }

  async screenshot(widthPixels: number): Promise<Buffer> {
    return captureWholePage(
      {
        evaluate: (body, ...parameters) => this.evaluate(body, ...parameters),
        resize: async (width, height) => {
          await this.#ask('POST', '/window/rect', { x: 0, y: 0, width, height });
        },
        frameHeight: () => outerHeight - innerHeight,
        capture: async () => Buffer.from((await this.#ask('GET', '/screenshot')) as string, 'base64'),
      },
      widthPixels,
    );
  }

  async close(): Promise<void> {
    if (this.#path) await this.#ask('DELETE', '').catch(() => undefined);
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    if (this.child.exitCode === null && this.child.pid) {
      process.kill(-this.child.pid, 'SIGTERM');
      await ended;
    }
    rmSync(this.home, { recursive: true, force: true });
  }

  /** Navigates and waits for the new document, because the driver returns while the old one still responds. */
  async #leave(navigate: () => Promise<unknown>): Promise<void> {
    await this.evaluate((name) => {
      Object.assign(globalThis, { [name]: true });
    }, LEFT);
    await navigate();
    const deadline = deadlineAfter(LOADED_SECONDS);
    for (;;) {
      const script = `return !('${LEFT}' in window) && document.readyState === 'complete'`;
      // A document that is being replaced returns an error or does not respond.
      const isThere = await this.#ask('POST', '/execute/sync', { script, args: [] }, ANSWERED_SECONDS).catch(() => false);
      if (isThere === true) return;
      if (deadline.isOver()) throw new Error(`WebKit has not loaded the page within ${LOADED_SECONDS} s`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async #find(selector: string): Promise<string> {
    const element = (await this.#ask('POST', '/element', { using: 'css selector', value: selector })) as Record<string, string>;
    return element[ELEMENT]!;
  }

  async #keys(actions: readonly { type: string; value: string }[]): Promise<void> {
    await this.#ask('POST', '/actions', { actions: [{ type: 'key', id: 'keyboard', actions }] });
  }

  async #ask(method: string, path: string, body?: unknown, timeoutSeconds?: number): Promise<unknown> {
    const response = await fetch(`${this.base}${this.#path}${path}`, {
      method,
      ...(timeoutSeconds !== undefined && { signal: AbortSignal.timeout(1000 * timeoutSeconds) }),
      ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const { value } = (await response.json()) as { value: unknown };
    if (!response.ok) {
      const { error, message } = value as { error: string; message: string };
      throw new Error(`WebKit's driver, ${method} ${path}: ${error}: ${message}`);
    }
    return value;
  }
}
