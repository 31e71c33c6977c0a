import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Page } from 'playwright-core';
import type { PrecisionReport } from '../src/compare/precisionReport';
import { bundleFiles, zipOf } from './bundleFiles';
import type { Runs } from './compareReport';
import type { ComparisonEngine, RowKeeper, Subject } from './comparisonEngine';
import { temporaryFolder } from './endings';
import type { Answer } from './engine/answer';
import type { BisectAnswer, BisectRequest, CompareRequest, PrecisionRequest } from './engine/comparisons';
import type { StageAnswer, StageRequest } from './engine/stages';
import { openEnginePage } from './enginePage';
import type { GraphList } from './listGraph';
import { say } from './output';
import { ReplaceableEngine } from './replaceableEngine';

export interface BrowserComparisonOptions {
  readonly needsGpu: boolean;
  /** Called with the name of each step. */
  readonly sayStep: ((step: string) => void) | null;
  /** Name of the command, for messages. */
  readonly command: string;
  /** What the user can do if the browser keeps ending. */
  readonly advice?: string | undefined;
}

/** The library in a headless browser, which is restarted if it ends. */
export class BrowserComparison implements ComparisonEngine {
  private readonly engine: ReplaceableEngine;

  constructor({ needsGpu, sayStep, command, advice }: BrowserComparisonOptions) {
    this.engine = new ReplaceableEngine(
      () => openEnginePage(needsGpu ? 'webgpu' : 'wasm', say),
      async (page) => {
        if (sayStep) await page.exposeFunction('sayStep', sayStep);
        await openComparator(page);
      },
      () => { say(`${command}: the browser ended; trying again in a new one`); },
      advice,
    );
  }

  compareFiles(subject: Subject, request: CompareRequest): Promise<Answer<Runs>> {
    return this.engine.run(async (page) => {
      await giveFiles(page, subject);
      return page.evaluate((asked) => voxlane.compareFiles(asked), { ...request, shipped: subject.shipped });
    });
  }

  roundFiles(subject: Subject, request: PrecisionRequest, rows: RowKeeper): Promise<Answer<PrecisionReport>> {
    return this.engine.run(async (page) => {
      rows.clear();
      await page.exposeFunction('keepRow', rows.keep.bind(rows));
      await giveFiles(page, subject);
      return page.evaluate((asked) => voxlane.roundFiles(asked), { ...request, shipped: subject.shipped });
    });
  }

  listFiles(subject: Subject): Promise<Answer<GraphList>> {
    return this.engine.run(async (page) => {
      await giveFiles(page, subject);
      return page.evaluate((id) => voxlane.listFiles(id), subject.shipped);
    });
  }

  async bisectFiles(subject: Subject, request: BisectRequest): Promise<Answer<BisectAnswer>> {
    const found = await this.engine.run(async (page) => {
      await giveFiles(page, subject);
      return page.evaluate((asked) => voxlane.bisectFiles(asked), { ...request, shipped: subject.shipped });
    });
    if (!found.ok) return found;
    const { report, bugReport } = found.result;
    return { ok: true, result: { report, bugReport: bugReport === null ? null : Buffer.from(bugReport, 'base64') } };
  }

  async computeStage(path: string, request: StageRequest): Promise<Answer<StageAnswer>> {
    const found = await this.engine.run(async (page) => {
      await giveFiles(page, { shipped: null, paths: [path] });
      return page.evaluate((asked) => voxlane.computeStage(asked), request);
    });
    return found.ok ? { ok: true, result: { ...found.result, npy: Buffer.from(found.result.npy, 'base64') } } : found;
  }

  renew(): Promise<void> {
    return this.engine.run(openComparator);
  }

  close(): Promise<void> {
    return this.engine.close();
  }
}

const openComparator = (page: Page): Promise<void> =>
  page.evaluate(() => {
    voxlane.openComparator();
  });

/** Passes files to the page, which streams them from disk. */
async function giveFiles(page: Page, { shipped, paths }: Subject): Promise<void> {
  const files = shipped === null ? bundleFiles(paths) : [];
  await page.setInputFiles('#files', files.map(({ path, isFolder }) => (isFolder ? zipFile(path) : path)));
}

let zipFolder: string | undefined;

/** Path of a temporary zip. The next folder with the same name overwrites it, and it is deleted when the process ends. */
function zipFile(folder: string): string {
  zipFolder ??= temporaryFolder();
  const path = join(zipFolder, `${basename(folder)}.zip`);
  writeFileSync(path, zipOf(folder));
  return path;
}
