import type { Page } from 'playwright-core';
import { toRttm } from '../../src/formats/rttm';
import type { BackendReport, DiarizerOptions, Progress, StageName, Turn } from '../../src/index';
import { derOf } from '../peers/runs';
import { peakByStage, peakSince, type BrowserMemory } from './memory';

/** Idle time before the memory of the page is measured. */
const SETTLE_MS = 3000;
/** Idle time after a run. */
const IDLE_SECONDS = 1;
/** On a busy machine, browsers need time to terminate workers and free their memory. */
const ENDED_TIMEOUT_MS = 30_000;

/** A recording to measure. */
export interface ScaleRecording {
  readonly minutes: number;
  readonly path: string;
  /** Null if unknown. */
  readonly reference: readonly Turn[] | null;
}

/** Measurements for a recording of one length. */
export interface LengthFigures {
  readonly minutes: number;
  readonly durationSeconds: number;
  readonly backend: Pick<BackendReport, 'name' | 'adapter' | 'threads'>;
  readonly wallSeconds: number;
  /** Seconds of work; stages overlap. */
  readonly stageSeconds: Readonly<Partial<Record<StageName, number>>>;
  /** A fraction, as computed by `npm run score` without options; null without a reference. */
  readonly der: number | null;
  readonly numSpeakers: number;
  /** In bytes. */
  readonly memory: {
    readonly before: number;
    readonly peak: number;
    readonly after: number;
    /** Peak between the first and the last progress report of each stage. */
    readonly peakByStage: Readonly<Record<string, number>>;
  };
  /** Longest main-thread task; 0 if none exceeded 50 ms. */
  readonly longestTaskMs: number;
}

/** Filled by observers in the page. */
interface PageRecords {
  longTasksMs: number[];
  stageSpans: Partial<Record<StageName, [firstMs: number, lastMs: number]>>;
  sayProgress: (progress: Progress) => void;
}

/**
 * Diarizes a recording in a newly loaded page with a new diarizer.
 *
 * @throws Error if the models cannot be opened or the workers do not end; errors of the run
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

/** Uses only member assignments, because named functions would call a helper of tsx that does not exist in the page. */
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
    // The browser reports the last task of the run after its end. Later messages from the page are not part of the run.
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
