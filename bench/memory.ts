import { execFileSync } from 'node:child_process';

/** Samples the resident memory of all descendants of this process: the browser with its tabs and helpers. */
export class MemoryMeter {
  /** Maximum sum so far, in bytes. Memory pages shared by processes are counted in each process. */
  peakBytes = 0;
  private readonly timer: NodeJS.Timeout;

  constructor(intervalMs = 250) {
    this.timer = setInterval(() => {
      this.peakBytes = Math.max(this.peakBytes, residentBytesBelow(process.pid));
    }, intervalMs);
  }

  stop(): void {
    clearInterval(this.timer);
  }
}

function residentBytesBelow(root: number): number {
  const rows = execFileSync('ps', ['-axo', 'pid=,ppid=,rss='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const children = new Map<number, { pid: number; bytes: number }[]>();
  for (const [pid = 0, parent = 0, kibibytes = 0] of rows) {
    const siblings = children.get(parent) ?? [];
    siblings.push({ pid, bytes: kibibytes * 1024 });
    children.set(parent, siblings);
  }
  const sumBelow = (parent: number): number =>
    (children.get(parent) ?? []).reduce((sum, { pid, bytes }) => sum + bytes + sumBelow(pid), 0);
  return sumBelow(root);
}
