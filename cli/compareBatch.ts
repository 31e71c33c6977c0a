/** Several bundles in one call of `compare`: the loop, the readable lines, the exit status and the reports. */
import { isSufficient } from '../src/compare/verdict';
import { messageOf, VoxlaneError, type ErrorParts } from '../src/util/errors';
import type { Answer } from './engine/answer';
import { exitStatusOf, verdictText, type Document } from './compareReport';
import { failureText } from './errorLine';
import type { FoundBundle, SkippedFile } from './findBundles';

/** `error`: nothing could be compared, or one of two backends could not run and the other passes. `not-run`: interrupted. */
export type BundleStatus = 'pass' | 'fail' | 'incomplete' | 'error' | 'not-run';

const STATUSES: readonly BundleStatus[] = ['pass', 'fail', 'incomplete', 'error', 'not-run'];

/** Outcome of one bundle. */
export interface BundleResult extends FoundBundle {
  readonly status: BundleStatus;
  /** Includes reading the files. */
  readonly seconds: number;
  /** Null if nothing could be compared. */
  readonly report: Document | null;
  /** Why nothing could be compared; null if something was. */
  readonly error: ErrorParts | null;
}

/** Builds the result of a bundle. @param found with the `graph` that was used */
export function resultOf(found: FoundBundle, answer: Answer<Document>, seconds: number): BundleResult {
  if (!answer.ok) return { ...found, status: 'error', seconds, report: null, error: answer.error };
  return { ...found, status: statusOf(answer.result), seconds, report: answer.result, error: null };
}

function statusOf(report: Document): BundleStatus {
  if (!isSufficient(report.coverage)) return 'incomplete';
  return (['pass', 'fail', 'error'] as const)[exitStatusOf(report)];
}

/**
 * Compares bundles one by one. A bundle that fails or cannot be read does not stop the others.
 *
 * @param compareOne its errors become the result of that bundle
 * @param onResult called after each bundle; its errors stop the comparison
 * @param isStopped whether the process is ending, which can cause errors
 * @throws errors of `compareOne` while the process is ending
 */
export async function compareAll(
  bundles: readonly FoundBundle[],
  compareOne: (found: FoundBundle) => Promise<Answer<Document>>,
  onResult: (result: BundleResult) => Promise<void> | void,
  isStopped: () => boolean = () => false,
): Promise<void> {
  for (const found of bundles) {
    const start = performance.now();
    const answer = await compareOne(found).catch((error: unknown): Answer<Document> => {
      if (isStopped()) throw error;
      return { ok: false, error: partsOf(error) };
    });
    await onResult(resultOf(found, answer, (performance.now() - start) / 1000));
  }
}

const partsOf = (error: unknown): ErrorParts =>
  error instanceof VoxlaneError ? error.toParts() : { code: 'options', problem: messageOf(error) };

/** Results for the bundles skipped because of an interruption. */
export const notRun = (bundles: readonly FoundBundle[], results: readonly BundleResult[]): BundleResult[] =>
  bundles.slice(results.length).map((found) => ({ ...found, status: 'not-run', seconds: 0, report: null, error: null }));

/** One readable line. */
export function lineOf({ bundle, graph, status, seconds, report, error }: BundleResult): string {
  const name = graph === null ? bundle : `${bundle} with ${graph}`;
  const told = report ? detailsOf(report) : error ? failureText(error) : 'interrupted';
  return `${status.padEnd(10)} ${name}: ${told} (${seconds.toFixed(1)} s)`;
}

function detailsOf(report: Document): string {
  const { firstDivergence, stages, failures, kernels } = report;
  const areKernelsAlone = kernels?.verdict === 'fail' && stages.every(({ verdict }) => verdict === 'pass');
  const causes = stages.find(({ name }) => name === firstDivergence)?.causes ?? [];
  const numFailed = stages.filter(({ verdict }) => verdict === 'fail').length;
  return [
    verdictText(report),
    ...(areKernelsAlone ? ['only on our own kernels (WASM)'] : []),
    ...(numFailed > 0 ? [`${numFailed} of ${stages.length} stages fail`] : []),
    ...(causes.length > 0 ? [`cause ${causes.map(({ id }) => id).join(', ')}`] : []),
    ...failures.map(({ backend, error }) => `${backend}: ${failureText(error)}`),
  ].join(', ');
}

/** 1 if a comparison fails; else 2 if one is incomplete or could not run; else 0. */
export function batchExitStatus(results: readonly BundleResult[]): 0 | 1 | 2 {
  if (results.some(({ status }) => status === 'fail')) return 1;
  return results.every(({ status }) => status === 'pass') ? 0 : 2;
}

/** `200 bundles: 197 pass, 2 fail, 1 error; 3 files skipped (31.2 s)` */
export function summaryOf(results: readonly BundleResult[], skipped: readonly SkippedFile[], seconds: number): string {
  const counts = countsOf(results).filter(([, count]) => count > 0).map(([status, count]) => `${count} ${status}`);
  const skips = skipped.length > 0 ? `; ${skipped.length} ${skipped.length === 1 ? 'file' : 'files'} skipped` : '';
  return `${results.length} ${results.length === 1 ? 'bundle' : 'bundles'}: ${counts.join(', ')}${skips} (${seconds.toFixed(1)} s)`;
}

const countsOf = (results: readonly BundleResult[]) =>
  STATUSES.map((status) => [status, results.filter((result) => result.status === status).length] as const);

/** The JSON report of several bundles. */
export interface BatchDocument {
  readonly exitStatus: 0 | 1 | 2;
  /** Number of bundles by status. */
  readonly counts: Readonly<Record<string, number>>;
  /** Duration of the whole call. */
  readonly seconds: number;
  readonly bundles: readonly BundleResult[];
  readonly skipped: readonly SkippedFile[];
}

export function batchDocument(results: readonly BundleResult[], skipped: readonly SkippedFile[], seconds: number): BatchDocument {
  return { exitStatus: batchExitStatus(results), counts: Object.fromEntries(countsOf(results)), seconds, bundles: results, skipped };
}

/** One line per skipped file, with the reason. */
export function skippedLines(skipped: readonly SkippedFile[]): string[] {
  return skipped.map(({ path, reason }) => `skipped: ${path} ${reason}`);
}
