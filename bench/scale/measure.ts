import type { Page } from 'playwright-core';
import { toRttm } from '../../src/formats/rttm';
import type { BackendReport, DiarizerOptions, Progress, StageName, Turn } from '../../src/index';
import { derOf } from '../peers/runs';
import { peakByStage, peakSince, type BrowserMemory } from './memory';

/** How long the page is left alone before its memory is taken. */
const SETTLE_MS = 3000;
/** After a run without another. */
const IDLE_SECONDS = 1;
/** Ending the workers and giving their memory back may take the browser a while on a busy machine. */
const ENDED_TIMEOUT_MS = 30_000;

/** A recording to be measured. */
export interface ScaleRecording {
  readonly minutes: number;
  readonly path: string;
  /** Null where it is not known. */
  readonly reference: readonly Turn[] | null;
}

/** What a recording of one length cost. */
export interface LengthFigures {
  readonly minutes: number;
  readonly durationSeconds: number;
  readonly backend: Pick<BackendReport, 'name' | 'adapter' | 'threads'>;
  readonly wallSeconds: number;
  /** Seconds of work; stages overlap. */
  readonly stageSeconds: Readonly<Partial<Record<StageName, number>>>;
  /** A fraction, as `npm run score` gives it without options; null without a reference. */
  readonly der: number | null;
  readonly numSpeakers: number;
  /** In bytes. */
  readonly memory: {
    readonly before: number;
    readonly peak: number;
    readonly after: number;
    /** From the first to the last report of each stage. */
    readonly peakByStage: Readonly<Record<string, number>>;
  };
  /** Of the page's thread; 0 where none was over 50 ms. */
  readonly longestTaskMs: number;
}

/** What the page's own observers put into it. */
interface PageRecords {
  longTasksMs: number[];
  stageSpans: Partial<Record<StageName, [firstMs: number, lastMs: number]>>;
  sayProgress: (progress: Progress) => void;
}

/**
 * Diarizes a recording in a page that is loaded afresh, with a diarizer of its own.
 *
 * @throws Error where the models cannot be opened or the workers do not end; what the run throws
 */
export async function measureLength(
  page: Page,
  { minutes, path, reference }: ScaleRecording,
  options: Pick<DiarizerOptions, 'preset' | 'backend'>,
  memory: BrowserMemory,
): Promise<LengthFigures> {
  await page.reload();
  await page.waitForFunction(() => 'voxlane' in globalThis);
  await page.setInputFiles('#file', path);
  await page.waitForTimeout(SETTLE_MS);
  const before = memory.take();
  await observe(page);
  const startMs = Date.now();
  const failure = await page.evaluate((request) => voxlane.open(request), { ...options, idleSeconds: IDLE_SECONDS });
  if (failure !== null) throw new Error(failure);
  const { wallSeconds, durationSeconds, timings, backend, turns, stageSpans, longTasksMs } = await run(page);
  await untilWorkersEnd(page);
  await page.waitForTimeout(SETTLE_MS);
  const after = memory.take();
  return {
    minutes,
    durationSeconds,
    backend,
    wallSeconds,
    stageSeconds: timings,
    der: reference && derOf(toRttm(reference, 'joined'), turns, 'joined'),
    numSpeakers: new Set(turns.map(({ speaker }) => speaker)).size,
    memory: {
      before,
      peak: peakSince(memory.samples, startMs),
      after,
      peakByStage: peakByStage(memory.samples, stageSpans),
    },
    longestTaskMs: Math.max(0, ...longTasksMs),
  };
}

/** Only assignments to members: a function with a name of its own would call a helper that the page does not have. */
async function observe(page: Page): Promise<void> {
  await page.evaluate(() => {
    const records = globalThis as unknown as PageRecords;
    records.longTasksMs = [];
    records.stageSpans = {};
    new PerformanceObserver((list) => {
      records.longTasksMs.push(...list.getEntries().map(({ duration }) => duration));
    }).observe({ type: 'longtask' });
    records.sayProgress = ({ stage }) => {
      const now = Date.now();
      (records.stageSpans[stage] ??= [now, now])[1] = now;
    };
  });
}

function run(page: Page) {
  return page.evaluate(async () => {
    const records = globalThis as unknown as PageRecords;
    const figures = await voxlane.measureFile();
    // The task that the run ended in is reported after it. What is then sent from the page is no part of the run.
    await new Promise((resolve) => setTimeout(resolve, 500));
    return { ...figures, stageSpans: records.stageSpans, longTasksMs: records.longTasksMs };
  });
}

async function untilWorkersEnd(page: Page): Promise<void> {
  const deadline = Date.now() + ENDED_TIMEOUT_MS;
  while (page.workers().length > 0) {
    if (Date.now() > deadline) {
      throw new Error(`${page.workers().length} workers have not ended ${ENDED_TIMEOUT_MS / 1000} s after the run`);
    }
    await page.waitForTimeout(100);
  }
}
