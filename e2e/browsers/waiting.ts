import { deadlineAfter } from './deadline';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Driver } from './driver';

const POLL_MILLISECONDS = 100;

/**
 * Polls the page until the function returns a value other than null, false or undefined.
 *
 * @param what description for the error
 * @returns the value
 */
export async function waitFor<Result, Parameters extends readonly unknown[]>(
  driver: Driver,
  what: string,
  timeoutSeconds: number,
  body: (...parameters: Parameters) => Result | null | undefined | false,
  ...parameters: Parameters
): Promise<Result> {
  const deadline = deadlineAfter(timeoutSeconds);
  let last: unknown;
  for (;;) {
    try {
      const result = await driver.evaluate(body, ...parameters);
      if (result !== null && result !== undefined && result !== false) return result;
    } catch (error) {
      // A page that is being replaced cannot respond.
      last = error;
    }
    if (deadline.isOver()) {
      const shown = await driver.evaluate(() => `${location.href}: ${document.body.innerText.slice(0, 500)}`).catch(String);
      throw new Error(`not within ${timeoutSeconds} s: ${what}; the page shows ${shown}`, { cause: last });
    }
    await sleep(POLL_MILLISECONDS);
  }
}

/** Waits until the first element that matches `selector` has an attribute with this value. */
export async function waitForAttribute(driver: Driver, selector: string, name: string, value: string, timeoutSeconds = 30): Promise<void> {
  await waitFor(
    driver,
    `${selector} with ${name}="${value}"`,
    timeoutSeconds,
    (css, attribute, wanted) => document.querySelector(css)?.getAttribute(attribute) === wanted,
    selector,
    name,
    value,
  );
}

/** Waits until exactly `count` elements match. */
export async function waitForCount(driver: Driver, selector: string, count: number, timeoutSeconds = 30): Promise<void> {
  await waitFor(driver, `${count} of ${selector}`, timeoutSeconds, (css, wanted) => document.querySelectorAll(css).length === wanted, selector, count);
}

/** Waits until the text of the first element that matches `selector` matches a pattern. */
export async function waitForText(driver: Driver, selector: string, pattern: RegExp, timeoutSeconds = 30): Promise<string> {
  return waitFor(
    driver,
    `${selector} with ${String(pattern)}`,
    timeoutSeconds,
    (css, source, flags) => {
      const text = document.querySelector(css)?.textContent ?? '';
      return new RegExp(source, flags).test(text) ? text : null;
    },
    selector,
    pattern.source,
    pattern.flags,
  );
}

/** Waits until the browser has saved a file, reads its text, and deletes it. */
export async function takeDownload(folder: string, name: string): Promise<string> {
  const path = join(folder, name);
  const deadline = deadlineAfter(30);
  // Browsers create the file before they write it.
  while (!existsSync(path) || readFileSync(path).length === 0) {
    if (deadline.isOver()) throw new Error(`the browser did not save ${name} within 30 s`);
    await sleep(POLL_MILLISECONDS);
  }
  const text = readFileSync(path, 'utf8');
  rmSync(path);
  return text;
}
