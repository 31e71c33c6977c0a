import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright-core';

/** Commands that start a Chromium-based browser, ordered by openness of their source. */
const COMMANDS = [
  'chromium',
  'chromium-browser',
  'google-chrome-stable',
  'google-chrome',
  'microsoft-edge-stable',
  'microsoft-edge',
  'chrome.exe',
  'msedge.exe',
];

/** Browsers without windows. They use less processor time, but some have no access to a GPU. */
const HEADLESS_SHELLS = ['chromium-headless-shell', 'chrome-headless-shell'];

const APPLICATIONS = [
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
];

/**
 * Path of a browser: `CHROMIUM_PATH`, else a system browser, else a headless shell, else Playwright's browser.
 *
 * @throws Error with the command that installs a browser
 */
export function findChromium(environment: NodeJS.ProcessEnv = process.env): string {
  const asked = environment.CHROMIUM_PATH;
  if (asked) {
    if (isExecutable(asked)) return asked;
    throw new Error(`CHROMIUM_PATH is ${asked}, which cannot be run. Set it to a Chromium, Chrome or Edge, or unset it.`);
  }
  const candidates = [...inPath(COMMANDS, environment), ...APPLICATIONS, ...inPath(HEADLESS_SHELLS, environment)];
  const found = [...candidates, chromium.executablePath()].find(isExecutable);
  if (found) return found;
  const command = existsSync('/etc/debian_version')
    ? 'sudo apt-get install -y chromium'
    : 'npx playwright-core install chromium';
  throw new Error(`No Chromium, Chrome or Edge was found. Install one with: ${command}`);
}

/**
 * Path of a browser for work that needs neither a window nor a GPU: `CHROMIUM_PATH`, else a headless shell, else as
 * {@link findChromium}.
 *
 * @throws Error with the command that installs a browser
 */
export function findHeadlessChromium(environment: NodeJS.ProcessEnv = process.env): string {
  const shell = environment.CHROMIUM_PATH ? undefined : inPath(HEADLESS_SHELLS, environment).find(isExecutable);
  return shell ?? findChromium(environment);
}

/** Possible paths of commands, ordered by command, then by folder of `PATH`. */
function inPath(names: readonly string[], { PATH = '' }: NodeJS.ProcessEnv): string[] {
  const folders = PATH.split(delimiter).filter(Boolean);
  return names.flatMap((name) => folders.map((folder) => join(folder, name)));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Which WebGPU adapter a launched browser offers. */
export type AdapterChoice = 'hardware' | 'software' | 'none';

/** WebGPU is off by default in headless mode and on Linux. */
const WEBGPU: Readonly<Record<AdapterChoice, readonly string[]>> = {
  hardware: ['--enable-unsafe-webgpu', '--enable-features=Vulkan'],
  software: ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
  none: [],
};

/** Arguments for a headless browser without background network traffic. */
export function chromiumArguments(adapter: AdapterChoice): string[] {
  return [
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    // The Chromium sandbox does not work for root, which is common in containers.
    ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
    ...WEBGPU[adapter],
  ];
}
