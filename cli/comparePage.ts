import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';
import { zipSync } from 'fflate';
import type { Page } from 'playwright-core';
import type { BackendName } from '../src/compare/report';
import type { ErrorParts } from '../src/util/errors';
import { temporaryFolder } from './endings';
import { openEnginePage, type EnginePage } from './enginePage';
import { withExternalData } from './externalData';
import { say } from './output';

/** Outcome of a call in the page: a result, or the parts of the error. */
export type Answer<Result> = { readonly ok: true; readonly result: Result } | { readonly ok: false; readonly error: ErrorParts };

/** The engine page with a comparator. @param hasSteps whether each step is reported on standard error */
export async function openComparePage(backends: readonly BackendName[], hasSteps = true): Promise<EnginePage> {
  const engine = await openEnginePage(backends.includes('webgpu') ? 'webgpu' : 'wasm', say);
  let last = '';
  const sayStep = (step: string): void => {
    if (step !== last) say(`  ${step}`);
    last = step;
  };
  if (hasSteps) await engine.page.exposeFunction('sayStep', sayStep);
  await engine.page.evaluate(() => {
    voxlane.openComparator();
  });
  return engine;
}

/**
 * Passes files to the page, which streams them from disk. Folders are passed as zip files. Graphs are passed together with
 * their external weight files.
 */
export async function giveFiles(page: Page, paths: readonly string[]): Promise<void> {
  await page.setInputFiles('#files', withExternalData(paths).map((path) => (statSync(path).isDirectory() ? zipOf(path) : path)));
}

let zipFolder: string | undefined;

/** Path of a temporary zip. The next folder with the same name overwrites it, and it is deleted when the process ends. */
function zipOf(folder: string): string {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const content = files.map((entry) => {
    const file = join(entry.parentPath, entry.name);
    return [relative(folder, file).split(sep).join('/'), new Uint8Array(readFileSync(file))] as const;
  });
  zipFolder ??= temporaryFolder();
  const path = join(zipFolder, `${basename(folder)}.zip`);
  writeFileSync(path, zipSync(Object.fromEntries(content), { level: 0 }));
  return path;
}
