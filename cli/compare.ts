/**
 * Command line: compares models with their golden bundles, stage by stage.
 *
 *     npx voxlane compare BUNDLE... [--model FILE.onnx] [--backend webgpu|wasm|both] [--json [FILE]] [--junit FILE]
 *     npx voxlane compare --list MODEL.onnx [BUNDLE]
 *     npx voxlane compare --precision BUNDLE [--limit N]
 */
import type { RuntimeBackend } from '../src/compare/report';
import { isShipped } from '../src/store/manifest';
import type { ErrorCode } from '../src/util/errors';
import { batchDocument, batchExitStatus, compareAll, lineOf, notRun, resultOf, skippedLines, summaryOf, type BundleResult } from './compareBatch';
import { HELP, parseCommand, type CompareCommand } from './compareOptions';
import { describe, documentOf, exitStatusOf, uncomparedLines, type Document } from './compareReport';
import { withReports, type ReportFile } from './compareReports';
import type { ComparisonEngine, Subject } from './comparisonEngine';
import { isEnding, onEnding } from './endings';
import type { Answer } from './engine/answer';
import { failureText } from './errorLine';
import { findBundles, type FoundBundle, type FoundBundles } from './findBundles';
import { requirePath } from './inputs';
import { junitText } from './junit';
import { listText } from './listGraph';
import { openComparison } from './openComparison';
import { print, say, warn } from './output';
import { PrecisionKeeper } from './precisionTable';
import { commandOf, runScript } from './script';
import { parsed } from './usage';

async function main(args: readonly string[]): Promise<number> {
  const command = parsed(() => parseCommand(args));
  if (command === 'help') {
    await print(HELP);
    return 0;
  }
  if (command.list) return list(command);
  const found = findBundles(command.files, command.model !== undefined);
  for (const line of skippedLines(found.skipped)) say(`compare: ${line}`);
  const [first] = found.bundles;
  if (!first) throw new Error(`${command.files.join(', ')}: no golden bundle found. Expected .zip files, folders with a manifest.json, or .npz files with a graph of the same name`);
  if (command.precision) {
    if (!found.isSingle) throw new Error(`--precision takes one bundle, but ${found.bundles.length} were found`);
    return comparePrecision(withGraph(first, command), command);
  }
  return found.isSingle ? compareSingle(first, command) : compareMany(found, command);
}

async function list({ files, json, engine: asked }: CompareCommand): Promise<number> {
  const shipped = files.length === 1 && isShipped(files[0]!) ? files[0] : null;
  if (shipped === null) files.forEach(requirePath);
  const engine = await openComparison({ engine: asked, backends: ['wasm'], command: 'compare' });
  try {
    const answer = await engine.listFiles({ shipped, paths: files });
    if (json) await print(`${JSON.stringify(answer.ok ? answer.result : { error: answer.error }, null, 2)}\n`);
    else if (answer.ok) await print(listText(answer.result));
    if (!answer.ok) warn(`compare: ${failureText(answer.error)}`);
    return answer.ok ? 0 : 2;
  } finally {
    await engine.close();
  }
}

/** Rounds the weights of one graph. If interrupted, prints the nodes tried so far. */
async function comparePrecision(used: FoundBundle, command: CompareCommand): Promise<number> {
  checkPaths(used, command);
  if (command.model === undefined && used.graph !== null) say(`compare: the graph is ${used.graph}`);
  const { json, jsonFile, map, limit, decisions } = command;
  const [backend] = backendsOf(command) as [RuntimeBackend];
  const kept = new PrecisionKeeper();
  const textOf = (): string => (json ? toJson(kept.document()) : kept.text());
  const forget = onEnding(() => print(textOf()));
  try {
    await withReports(reportFile(jsonFile, () => toJson(kept.document())), () =>
      withEngine(command, true, async (engine) => {
        kept.finish(await engine.roundFiles(subjectOf(used, command), { map, backend, limit, decisions }, kept));
      }),
    );
  } finally {
    forget();
  }
  await print(textOf());
  if (kept.error) warn(`compare: ${failureText(kept.error)}`);
  return kept.error ? 2 : 0;
}

/** Compares one bundle and prints all details of its stages. */
async function compareSingle(found: FoundBundle, command: CompareCommand): Promise<number> {
  const used = withGraph(found, command);
  if (command.model === undefined && used.graph !== null) say(`compare: the graph is ${used.graph}`);
  const start = performance.now();
  let answer: Answer<Document> | null = null;
  const jsonOf = ({ ok, ...rest }: Answer<Document>): string => toJson(ok && 'result' in rest ? rest.result : rest);
  const files: ReportFile[] = [
    ...reportFile(command.jsonFile, () => (answer ? jsonOf(answer) : toJson({ error: INTERRUPTED }))),
    ...reportFile(command.junit, () => junitText(answer ? [resultOf(used, answer, (performance.now() - start) / 1000)] : notRun([used], []))),
  ];
  const done = await withReports(files, async () => {
    checkPaths(used, command);
    return (answer = await withEngine(command, true, (engine) => compareOne(engine, used, command)));
  });
  if (command.json) await print(jsonOf(done));
  if (!done.ok) {
    warn(`compare: ${failureText(done.error)}`);
    return 2;
  }
  const { result } = done;
  for (const line of uncomparedLines(result.coverage)) say(`compare: ${line}`);
  for (const note of result.notes) say(`compare: ${note}`);
  for (const { backend, error } of result.failures) warn(`compare: ${backend}: ${failureText(error)}`);
  if (!command.json) await print(describe(result));
  return exitStatusOf(result);
}

/** Compares several bundles in one engine and prints one line per bundle. */
async function compareMany({ bundles, skipped }: FoundBundles, command: CompareCommand): Promise<number> {
  const all = bundles.map((found) => withGraph(found, command));
  const results: BundleResult[] = [];
  const start = performance.now();
  const seconds = (): number => (performance.now() - start) / 1000;
  const soFar = (): BundleResult[] => [...results, ...notRun(all, results)];
  const report = (): string => toJson(batchDocument(soFar(), skipped, seconds()));
  const files = [...reportFile(command.jsonFile, report), ...reportFile(command.junit, () => junitText(soFar()))];
  // With JSON on standard output, readable lines go to standard error.
  const tell = async (line: string): Promise<void> => {
    if (command.json) say(line);
    else await print(`${line}\n`);
  };
  await withReports(files, () =>
    withEngine(command, false, (engine) => {
      const compareNext = async (found: FoundBundle): Promise<Answer<Document>> => {
        say(`[${results.length + 1}/${all.length}] ${found.bundle}`);
        checkPaths(found, command);
        const answer = await compareOne(engine, found, command);
        if (!answer.ok && !KEEPS_WORKER.includes(answer.error.code)) await engine.renew();
        return answer;
      };
      const keep = async (result: BundleResult): Promise<void> => {
        results.push(result);
        await tell(lineOf(result));
      };
      return compareAll(all, compareNext, keep, isEnding);
    }),
  );
  await tell(summaryOf(results, skipped, seconds()));
  if (command.json) await print(report());
  return batchExitStatus(results);
}

const INTERRUPTED = { code: 'cancelled', problem: 'The comparison was interrupted' };

/** Input errors. After any other error, the runtime in the worker may be broken. */
const KEEPS_WORKER: readonly ErrorCode[] = ['format', 'options', 'model-invalid', 'model-missing'];

const toJson = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

const reportFile = (path: string | undefined, text: () => string): ReportFile[] => (path === undefined ? [] : [{ path, text }]);

const withGraph = ({ bundle, graph }: FoundBundle, { model }: CompareCommand): FoundBundle => ({ bundle, graph: model ?? graph });

/** Checks that need no engine. @throws Error with a one-line message */
function checkPaths({ bundle, graph }: FoundBundle, { model, weights }: CompareCommand): void {
  if (weights !== undefined) requirePath(weights);
  if (isShipped(bundle)) {
    if (model === undefined) return;
    throw new Error(`the goldens of ${bundle} are compared with its own graph. To test another graph, pass public/goldens/${bundle}.zip`);
  }
  requirePath(bundle);
  if (graph !== null) requirePath(graph);
}

async function withEngine<Result>(command: CompareCommand, hasSteps: boolean, work: (engine: ComparisonEngine) => Promise<Result>): Promise<Result> {
  const engine = await openComparison({
    engine: command.engine,
    backends: backendsOf(command),
    hasSteps,
    command: 'compare',
    advice: 'Free some memory, or compare a smaller graph',
  });
  try {
    return await work(engine);
  } finally {
    await engine.close();
  }
}

const backendsOf = ({ backend }: CompareCommand): RuntimeBackend[] => (backend === 'both' ? ['wasm', 'webgpu'] : [backend]);

const subjectOf = ({ bundle, graph }: FoundBundle, { weights }: CompareCommand): Subject =>
  isShipped(bundle) ? { shipped: bundle, paths: [] } : { shipped: null, paths: [bundle, ...(graph === null ? [] : [graph]), ...(weights === undefined ? [] : [weights])] };

async function compareOne(engine: ComparisonEngine, found: FoundBundle, command: CompareCommand): Promise<Answer<Document>> {
  const { map, tolerance, thorough, decisions, form } = command;
  const answer = await engine.compareFiles(subjectOf(found, command), { map, backends: backendsOf(command), tolerance, thorough, decisions, form });
  if (!answer.ok) return answer;
  const { runs, failures } = answer.result;
  return runs.length === 0 ? { ok: false, error: failures[0]!.error } : { ok: true, result: documentOf(answer.result) };
}

export { HELP };
export const run = commandOf('compare', 2, main);

await runScript(import.meta.url, run);
