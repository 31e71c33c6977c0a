import { describe, expect, it } from 'vitest';
import { browserProcesses, peakByStage, peakSince, type ProcessInfo } from './memory';

const facts = (pid: number, parent: number, command = ''): ProcessInfo => ({ pid, parent, residentBytes: 1, command });

describe('browserProcesses', () => {
  it('contains only the browser and its helpers', () => {
    const processes = [
      facts(10, 1, 'node bench/scale.ts'),
      facts(11, 10, 'esbuild --service'),
      facts(12, 10, '/bin/sh /usr/bin/chromium --remote-debugging-pipe'),
      facts(13, 12, 'chromium --remote-debugging-pipe --headless'),
      facts(14, 13, 'chromium --type=zygote'),
      facts(15, 14, 'chromium --type=renderer'),
      facts(16, 10, 'ps -axww'),
      facts(20, 1, 'chromium --remote-debugging-pipe'),
      facts(21, 20, 'chromium --type=renderer'),
    ];
    expect(browserProcesses(processes, 10).map(({ pid }) => pid)).toEqual([12, 13, 14, 15]);
  });
});

describe('peakByStage', () => {
  const samples = [100, 200, 300, 400, 500].map((atMs, i) => ({ atMs, bytes: [1, 9, 4, 5, 99][i]! }));

  it('is the maximum between the first and the last report of a stage, even if stages overlap', () => {
    expect(peakByStage(samples, { decode: [150, 400], embedding: [250, 400] })).toEqual({ decode: 9, embedding: 5 });
  });

  it('omits a stage that ran between two samples', () => {
    expect(peakByStage(samples, { decode: [100, 100], counting: [310, 320] })).toEqual({ decode: 1 });
  });
});

describe('peakSince', () => {
  it('ignores earlier samples', () => {
    const samples = [{ atMs: 1, bytes: 8 }, { atMs: 2, bytes: 3 }, { atMs: 3, bytes: 5 }];
    expect(peakSince(samples, 2)).toBe(5);
    expect(peakSince(samples, 9)).toBe(0);
  });
});
