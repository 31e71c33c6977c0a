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

const APPLICATIONS = [
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
];

/**
 * Path of a browser: `CHROMIUM_PATH`, else a system browser, else Playwright's browser.
 *
 * @throws Error with the command that installs a browser
 */
export function findChromium(environment: NodeJS.ProcessEnv = process.env): string {
  const asked = environment.CHROMIUM_PATH;
  if (asked) {
    if (isExecutable(asked)) return asked;
    throw new Error(`CHROMIUM_PATH is ${asked}, which cannot be run. Set it to a Chromium, Chrome or Edge, or unset it.`);
  }
  const folders = (environment.PATH ?? '').split(delimiter).filter(Boolean);
  const candidates = [...COMMANDS.flatMap((name) => folders.map((folder) => join(folder, name))), ...APPLICATIONS];
  const found = [...candidates, chromium.executablePath()].find(isExecutable);
  if (found) return found;
  const command = existsSync('/etc/debian_version')
    ? 'sudo apt-get install -y chromium'
    : 'npx playwright-core install chromium';
  throw new Error(`No Chromium, Chrome or Edge was found. Install one with: ${command}`);
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
