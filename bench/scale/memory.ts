import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/**
 * What is summed over the browser's processes: the proportional set size, in which a page that n of them share counts
 * 1/n in each, or the resident set size, in which it counts in each.
 */
export type MemoryKind = 'pss' | 'rss';

/** Memory of the browser at one moment. */
export interface MemorySample {
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  readonly bytes: number;
}

/** One process of a listing. */
export interface ProcessInfo {
  readonly pid: number;
  readonly parent: number;
  readonly residentBytes: number;
  readonly command: string;
}

/** Samples the memory of the Chromium that this process has started: not its own, nor that of a build that it runs. */
export class BrowserMemory {
  readonly samples: MemorySample[] = [];
  /** RSS as soon as one process does not tell its PSS. */
  kind: MemoryKind = existsSync('/proc/self/smaps_rollup') ? 'pss' : 'rss';
  private readonly timer: NodeJS.Timeout;

  constructor(intervalMs = 250) {
    this.timer = setInterval(() => {
      this.take();
    }, intervalMs);
  }

  /** Measures now. */
  take(): number {
    const bytes = this.read();
    this.samples.push({ atMs: Date.now(), bytes });
    return bytes;
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private read(): number {
    const processes = browserProcesses(listProcesses(), process.pid);
    return processes.reduce((sum, { pid, residentBytes }) => {
      const proportional = this.kind === 'pss' ? proportionalBytes(pid) : null;
      if (proportional === null) this.kind = 'rss';
      return sum + (proportional ?? residentBytes);
    }, 0);
  }
}

/** Greatest sample from `fromMs` on; 0 where there is none. */
export function peakSince(samples: readonly MemorySample[], fromMs: number): number {
  return samples.reduce((peak, { atMs, bytes }) => (atMs >= fromMs ? Math.max(peak, bytes) : peak), 0);
}

/** From the first to the last report of each stage, in milliseconds since the epoch. */
export type StageSpans = Readonly<Record<string, readonly [firstMs: number, lastMs: number]>>;

/** Greatest sample within the span of each stage; without stages that ended before a sample was taken. */
export function peakByStage(samples: readonly MemorySample[], spans: StageSpans): Record<string, number> {
  const peaks = Object.entries(spans).flatMap(([stage, [firstMs, lastMs]]) => {
    const within = samples.filter(({ atMs }) => atMs >= firstMs && atMs <= lastMs);
    return within.length > 0 ? [[stage, peakSince(within, firstMs)] as const] : [];
  });
  return Object.fromEntries(peaks);
}

/** The browsers among the descendants of `root`, as Playwright starts them, with all that they have started. */
export function browserProcesses(processes: readonly ProcessInfo[], root: number): ProcessInfo[] {
  const below = (parent: number, isBrowser: boolean): ProcessInfo[] =>
    processes
      .filter((one) => one.parent === parent)
      .flatMap((one) => {
        const counts = isBrowser || one.command.includes('--remote-debugging-pipe');
        return [...(counts ? [one] : []), ...below(one.pid, counts)];
      });
  return below(root, false);
}

function listProcesses(): ProcessInfo[] {
  const listing = execFileSync('ps', ['-axww', '-o', 'pid=,ppid=,rss=,args='], { encoding: 'utf8', maxBuffer: 1 << 26 });
  return listing
    .trim()
    .split('\n')
    .map((line) => {
      const [, pid, parent, kibibytes, command = ''] = /^\s*(\d+)\s+(\d+)\s+(\d+)\s?(.*)$/.exec(line) ?? [];
      return { pid: Number(pid), parent: Number(parent), residentBytes: Number(kibibytes) * 1024, command };
    });
}

/** 0 of a process that has ended; null of one that does not tell. */
function proportionalBytes(pid: number): number | null {
  try {
    const kibibytes = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
    return kibibytes === undefined ? null : Number(kibibytes) * 1024;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ESRCH' ? 0 : null;
  }
}
