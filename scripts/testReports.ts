/** Reads the reports of the test runners: how many tests passed, failed and were skipped, and why. */
import { readFileSync } from 'node:fs';
import { skipReason } from '../test/skipTitle';

/** Result of one step of the tests, or of all. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Number of skipped tests for each reason. */
  readonly reasons: ReadonlyMap<string, number>;
  /** Titles of tests that were skipped without a reason. They count as failed. */
  readonly unexplained: readonly string[];
}

/** A skipped test. */
interface Skip {
  readonly title: string;
  readonly reason: string | null;
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly ancestorTitles: readonly string[]; readonly title: string; readonly status: string }[];
  }[];
}

interface PlaywrightSuite {
  readonly suites?: readonly PlaywrightSuite[];
  readonly specs?: readonly {
    readonly title: string;
    readonly tests: readonly { readonly status: string; readonly annotations: readonly { readonly type: string; readonly description?: string }[] }[];
  }[];
}

interface PlaywrightReport extends PlaywrightSuite {
  readonly stats: { readonly expected: number; readonly unexpected: number; readonly flaky: number };
}

/** A step without tests. */
export const NO_TESTS: Tally = { passed: 0, failed: 0, skipped: 0, reasons: new Map(), unexplained: [] };

/** @returns the counts of Vitest's JSON report; null if the runner crashed before writing it */
export function readVitest(file: string): Tally | null {
  const report = readReport(file) as VitestReport | null;
  if (!report) return null;
  const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  const skips = tests
    .filter(({ status }) => status !== 'passed' && status !== 'failed')
    .map(({ ancestorTitles, title }) => ({ title: [...ancestorTitles, title].filter(Boolean).join(' › '), reason: skipReason([...ancestorTitles, title]) }));
  return tallyOf(report.numPassedTests, report.numFailedTests, skips);
}

/** @returns the counts of Playwright's JSON report; null if the runner crashed before writing it */
export function readPlaywright(file: string): Tally | null {
  const report = readReport(file) as PlaywrightReport | null;
  if (!report) return null;
  const { expected, unexpected, flaky } = report.stats;
  return tallyOf(expected + flaky, unexpected, skipsIn(report));
}

function skipsIn({ suites = [], specs = [] }: PlaywrightSuite): Skip[] {
  const own = specs.flatMap(({ title, tests }) =>
    tests
      .filter(({ status }) => status === 'skipped')
      .map(({ annotations }) => ({ title, reason: annotations.find(({ type }) => type === 'skip')?.description ?? null })),
  );
  return [...own, ...suites.flatMap(skipsIn)];
}

function tallyOf(passed: number, failed: number, skips: readonly Skip[]): Tally {
  const reasons = new Map<string, number>();
  for (const { reason } of skips) if (reason !== null) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  const unexplained = skips.filter(({ reason }) => reason === null).map(({ title }) => title);
  return { passed, failed: failed + unexplained.length, skipped: skips.length - unexplained.length, reasons, unexplained };
}

/**
 * Number of failures of a run that was requested. A run that crashed counts as one, and so does a run without a test that passed
 * or failed.
 *
 * @param status exit status of the runner
 */
export function failuresOf(tally: Tally | null, status: number | null): number {
  if (tally && tally.failed > 0) return tally.failed;
  return status === 0 && tally && tally.passed > 0 ? 0 : 1;
}

/** Adds the counts of two steps. */
export function addTallies(a: Tally, b: Tally): Tally {
  const reasons = new Map(a.reasons);
  for (const [reason, count] of b.reasons) reasons.set(reason, (reasons.get(reason) ?? 0) + count);
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
    reasons,
    unexplained: [...a.unexplained, ...b.unexplained],
  };
}

/** Lines for each reason, with its count, and for each skipped test without a reason. */
export function skipLines({ reasons, unexplained }: Tally): string[] {
  return [
    ...Array.from(reasons, ([reason, count]) => `${count} skipped: ${reason}`),
    ...unexplained.map((title) => `failed: skipped without a reason: ${title}`),
  ];
}

/** Reads the report of a runner; null if the runner crashed before writing it. */
function readReport(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as unknown;
  } catch {
    return null;
  }
}
