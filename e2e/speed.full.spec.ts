/** The speed that the project promises for two cores, by its own benchmark. */
import { execFileSync } from 'node:child_process';
import { expect, test } from '@playwright/test';

interface BenchReport {
  readonly machine: string;
  readonly files: { rtf: Record<string, number>; peakMegabytes: number }[];
}

test('the sample on WASM at a real-time factor of at most 0.35', () => {
  test.setTimeout(300_000);
  const args = ['--import', 'tsx', 'bench/bench.ts', 'public/sample.wav', '--backend', 'wasm', '--no-gpu', '--json'];
  const { machine, files } = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as BenchReport;
  const [{ rtf, peakMegabytes }] = files as [BenchReport['files'][number]];
  console.log(machine, rtf, `${peakMegabytes} MB`);
  expect(rtf.wall).toBeLessThanOrEqual(0.35);
  expect(rtf.wall).toBeGreaterThan(0);
  expect(peakMegabytes).toBeGreaterThan(0);
});
