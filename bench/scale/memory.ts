import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/**
 * Memory measure summed over the browser's processes: the proportional set size, which divides shared memory pages between
 * the processes, or the resident set size, which counts them in each process.
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

/** Samples the memory of the Chromium started by this process, without this process and other child processes such as builds. */
export class BrowserMemory {
  readonly samples: MemorySample[] = [];
  /** Falls back to RSS if a process has no PSS. */
  kind: MemoryKind = existsSync('/proc/self/smaps_rollup') ? 'pss' : 'rss';
  private readonly timer: NodeJS.Timeout;

  constructor(intervalMs = 250) {
    this.timer = setInterval(() => {
      this.take();
    }, intervalMs);
  }

  /** Takes a sample now. */
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

/** Maximum sample since `fromMs`; 0 if there is none. */
export function peakSince(samples: readonly MemorySample[], fromMs: number): number {
  return samples.reduce((peak, { atMs, bytes }) => (atMs >= fromMs ? Math.max(peak, bytes) : peak), 0);
}

/** First and last progress report of each stage, in milliseconds since the epoch. */
export type StageSpans = Readonly<Record<string, readonly [firstMs: number, lastMs: number]>>;

/** Maximum sample within the span of each stage, without stages that have no sample. */
export function peakByStage(samples: readonly MemorySample[], spans: StageSpans): Record<string, number> {
  const peaks = Object.entries(spans).flatMap(([stage, [firstMs, lastMs]]) => {
    const within = samples.filter(({ atMs }) => atMs >= firstMs && atMs <= lastMs);
    return within.length > 0 ? [[stage, peakSince(within, firstMs)] as const] : [];
  });
  return Object.fromEntries(peaks);
}

/** Browsers started by Playwright among the descendants of `root`, with their descendants. */
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

/** PSS in bytes; 0 for an ended process, null if unavailable. */
function proportionalBytes(pid: number): number | null {
  try {
    const kibibytes = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
    return kibibytes === undefined ? null : Number(kibibytes) * 1024;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ESRCH' ? 0 : null;
  }
}
