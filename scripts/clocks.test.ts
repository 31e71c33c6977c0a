/** Tests must not fail because of elapsed time or memory use. `npm run bench -- --check` has those limits. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findClocks, isOfTests } from './clocks';

const ROOT = join(import.meta.dirname, '..');
const FOLDERS = ['src', 'workers', 'cli', 'scripts', 'test', 'e2e', 'packages', 'examples'];

/** Files that may measure time or memory, with the reason. */
const ALLOWED: Readonly<Record<string, string>> = {
  'scripts/clocks.test.ts': 'it contains examples',
  'e2e/browsers/deadline.ts': 'it has a timeout for unresponsive browsers',
  'e2e/full/vanished.spec.ts': 'it keeps a worker busy for a few seconds',
  'test/fuzz/run.ts': 'it runs for the requested number of minutes',
  'test/corpus/slurm.ts': 'it gives the free memory to the configuration of Slurm',
};

const files = FOLDERS.flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(m?[jt]sx?|html)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1).replaceAll('\\', '/')),
).filter((path) => isOfTests(path) && !path.includes('node_modules/'));

describe('tests', () => {
  it('are found', () => {
    expect(files).toEqual(expect.arrayContaining(['e2e/page.spec.ts', 'test/pages/kernelsPage.ts', 'src/onnx/shipped.test.ts']));
  });

  it.each(files.filter((path) => !(path in ALLOWED)))('%s measures neither time nor memory', (path) => {
    expect(findClocks(path, readFileSync(join(ROOT, path), 'utf8'))).toEqual([]);
  });

  it('allowed to measure actually measure', () => {
    for (const path of Object.keys(ALLOWED)) expect(findClocks(path, readFileSync(join(ROOT, path), 'utf8'))).not.toEqual([]);
  });
});

describe('findClocks', () => {
  it.each([
    'const start = performance.now();',
    'expect(Date.now() - start).toBeLessThan(5000);',
    'const before = process.memoryUsage().arrayBuffers;',
    'const cpu = process.cpuUsage();',
    "await devtools.send('Runtime.getHeapUsage');",
    'performance.memory.usedJSHeapSize',
    "new PerformanceObserver(() => {}).observe({ type: 'longtask' });",
    'await browser.startTracing(page);',
    'expect(result.timings.embedding).toBeLessThan(2);',
    'const { wallSeconds } = await measureFile();',
    'const { now } = performance;',
    'const { now: read } = globalThis.performance;',
    '} = performance;',
    "import { performance as p } from 'node:perf_hooks';",
    "const hooks = await import('node:perf_hooks');",
    'const p = performance;',
    "globalThis['performance'].now()",
    "self['Date'].now()",
    'const clock = Date;',
    'const { now } = Date;',
    'const start = +new Date;',
    'const start = new Date( );',
    'const text = Date();',
    'Temporal.Now.instant()',
    "import { hrtime } from 'node:process';",
    "import { memoryUsage as read } from 'node:process';",
    "process['hrtime'].bigint()",
    'const { memoryUsage } = process;',
    'const { uptime } = await import("node:os");',
    'performance?.memory',
    "const { memory } = performance as unknown as { memory: { size: number } };",
    "readFileSync('/proc/self/status', 'utf8').match(/VmRSS/)",
    'requestAnimationFrame((time) => { times.push(time); });',
    'requestAnimationFrame(time => times.push(time));',
    'document.timeline.currentTime',
    'const script = `for (const end = performance.now() + 30_000; performance.now() < end; );`;',
  ])('finds %s', (line) => {
    expect(findClocks('a.test.ts', `one();\n  ${line}`)).toEqual([{ file: 'a.test.ts', line: 2, text: line }]);
  });

  it.each([
    'test.setTimeout(300_000);',
    'await expect.poll(() => page.workers().length).toBe(0);',
    'expect(Object.keys(json.timings)).toEqual([]);',
    'expect(turn.startSeconds).toBeLessThan(14);',
    'await new Promise((resolve) => setTimeout(resolve, 50));',
    "vi.useFakeTimers({ toFake: ['performance'] });",
    "vi.useFakeTimers({ toFake: ['Date'] });",
    'const stored = Date.UTC(2026, 10, 30);',
    'new Date(seconds * 1000).toISOString()',
    "Date.parse('2026-11-30')",
    "import { platform } from 'node:process';",
    'const { env } = process;',
    'await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));',
    'expect(widget.currentTime).toBe(1.25);',
    'const { now, paused } = await state();',
  ])('leaves %s', (line) => {
    expect(findClocks('a.test.ts', line)).toEqual([]);
  });
});

describe('isOfTests', () => {
  it('contains tests and their helpers, but not benchmarks', () => {
    for (const path of ['src/a.test.ts', 'e2e/full/a.spec.ts', 'test/browser/a.ts', 'test/pages/a.html']) expect(isOfTests(path)).toBe(true);
    for (const path of ['src/a.ts', 'bench/a.test.ts', 'bench/check/a.ts', 'cli/page/enginePage.ts']) expect(isOfTests(path)).toBe(false);
  });
});
