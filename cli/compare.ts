/**
 * Command line: a model against its golden bundle, stage by stage.
 *
 *     npm run --silent compare -- BUNDLE [--model FILE.onnx] [--backend webgpu|wasm|both] [--json]
 *     npm run --silent compare -- --list MODEL.onnx [BUNDLE]
 */
import { parseArgs } from 'node:util';
import { countText, isSufficient, outcomeOf } from '../src/compare/coverage';
import type { BackendName, BetweenReport, ComparisonReport, Coverage, ErrorQuantiles, StageReport } from '../src/compare/report';
import type { ToleranceOverride } from '../src/compare/stageTolerance';
import { isShipped } from '../src/store/shipped';
import type { ErrorParts } from '../src/util/errors';
import { number, oneOf } from './arguments';
import { failureText, giveFiles, openComparePage, type Answer } from './comparePage';
import { requirePath } from './inputs';
import { listText } from './listGraph';
import { print, say } from './output';
import { runCommand } from './script';

const HELP = `Usage: npm run --silent compare -- BUNDLE [options]
       npm run --silent compare -- --list MODEL [BUNDLE]

Runs a model on the inputs of a golden bundle, compares every stage, and names the first that is wrong by itself.
BUNDLE is a golden bundle (.zip or folder), .npz, .npy or .safetensors file, or the name of a shipped model.

  --model FILE.onnx           the graph to test (default: the shipped model that the bundle is of)
  --backend webgpu|wasm|both  where it runs (default wasm)
  --map STAGE=VALUE           the graph value that a stage is, if it is not found by itself; may be repeated
  --rtol X                    greatest error of a stage, relative to its golden values (root mean squares; default 1e-4
                              for float32, 7.8e-3 for float16, 0 for whole numbers)
  --atol X                    absolute error that passes --rtol at any scale (default 1.2e-7; 0 for whole numbers)
  --cosine X                  least cosine between a stage and its golden values
                              These replace the bundle's tolerance; --rtol and --atol its absolute bound, too.
  --list                      print the layers of MODEL, their values and shapes, and compare nothing
  --thorough                  look for differences between runs and batch sizes in stages that pass, too
  --json                      the report as JSON on standard output
  --help                      this text

Exit status: 0 if every stage that was compared passes, 1 if one fails, 2 if fewer than half of the stages or no output
of the graph were compared, whether or not a stage fails, or if one of two backends could not run and the other passes.
`;

interface CompareCommand {
  /** A bundle; with `list` a graph, and a bundle with its inputs or none. */
  readonly files: readonly string[];
  readonly list: boolean;
  readonly model: string | undefined;
  readonly backend: BackendName | 'both';
  readonly map: readonly (readonly [string, string])[];
  readonly tolerance: ToleranceOverride;
  readonly thorough: boolean;
  readonly json: boolean;
}

/** One backend's report, or of both the worse of each stage with the parts beside it. */
type Document = Omit<ComparisonReport, 'backend'> & {
  readonly backend: BackendName | 'both';
  /** What reading the goldens had to assume or round. */
  readonly notes: readonly string[];
  /** Backends on which nothing could be compared. */
  readonly failures: readonly BackendFailure[];
  readonly runs?: readonly ComparisonReport[];
  readonly between?: readonly BetweenReport[];
};

interface BackendFailure {
  readonly backend: BackendName;
  readonly error: ErrorParts;
}

/** What the page gives. */
interface Runs {
  readonly runs: readonly ComparisonReport[];
  readonly failures: readonly BackendFailure[];
  readonly between: readonly BetweenReport[] | null;
  readonly notes: readonly string[];
}

function parseCommand(args: readonly string[]): CompareCommand | 'help' {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      model: { type: 'string' },
      backend: { type: 'string', default: 'wasm' },
      map: { type: 'string', multiple: true, default: [] },
      rtol: { type: 'string' },
      atol: { type: 'string' },
      cosine: { type: 'string' },
      list: { type: 'boolean', default: false },
      thorough: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const { list } = values;
  if (list ? positionals.length < 1 || positionals.length > 2 : positionals.length !== 1) {
    throw new Error(list ? 'expected one graph, and a bundle or none. Try --help.' : 'expected one bundle. Try --help.');
  }
  return {
    files: positionals,
    list,
    model: values.model,
    backend: oneOf('--backend', values.backend, ['webgpu', 'wasm', 'both']),
    map: values.map.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new Error(`--map is ${pair}. Expected STAGE=VALUE.`);
      return [pair.slice(0, at), pair.slice(at + 1)] as const;
    }),
    tolerance: toleranceOf(values),
    thorough: values.thorough,
    json: values.json,
  };
}

function toleranceOf(texts: { readonly rtol?: string; readonly atol?: string; readonly cosine?: string }): ToleranceOverride {
  const [rtol, atol, cosine] = (['rtol', 'atol', 'cosine'] as const).map((name) => number(`--${name}`, texts[name]));
  for (const [name, value] of [['rtol', rtol], ['atol', atol]] as const) {
    if (value !== undefined && value < 0) throw new Error(`--${name} is ${value}. Expected 0 or more.`);
  }
  if (cosine !== undefined && Math.abs(cosine) > 1) throw new Error(`--cosine is ${cosine}. Expected a number from -1 to 1.`);
  return { ...(rtol !== undefined && { rtol }), ...(atol !== undefined && { atol }), ...(cosine !== undefined && { cosine }) };
}

async function main(): Promise<number> {
  const command = parseCommand(process.argv.slice(2));
  if (command === 'help') {
    await print(HELP);
    return 0;
  }
  if (command.list) return list(command);
  const answer = await compare(command);
  if (!answer.ok) {
    if (command.json) await print(`${JSON.stringify({ error: answer.error }, null, 2)}\n`);
    say(`compare: ${failureText(answer.error)}`);
    return 2;
  }
  const { result } = answer;
  for (const line of uncomparedLines(result.coverage)) say(`compare: ${line}`);
  for (const note of result.notes) say(`compare: ${note}`);
  for (const { backend, error } of result.failures) say(`compare: ${backend}: ${failureText(error)}`);
  await print(command.json ? `${JSON.stringify(result, null, 2)}\n` : describe(result));
  if (!isSufficient(result.coverage)) return 2;
  if (result.verdict === 'fail') return 1;
  return result.failures.length > 0 ? 2 : 0;
}

async function list({ files, json }: CompareCommand): Promise<number> {
  const shipped = files.length === 1 && isShipped(files[0]!) ? files[0] : null;
  if (shipped === null) files.forEach(requirePath);
  const engine = await openComparePage(['wasm']);
  const { page } = engine;
  try {
    if (shipped === null) await giveFiles(page, files);
    const answer = await page.evaluate((id) => voxlane.listFiles(id), shipped);
    if (json) await print(`${JSON.stringify(answer.ok ? answer.result : { error: answer.error }, null, 2)}\n`);
    else if (answer.ok) await print(listText(answer.result));
    if (!answer.ok) say(`compare: ${failureText(answer.error)}`);
    return answer.ok ? 0 : 2;
  } finally {
    await engine.close();
  }
}

async function compare({ files, model, backend, map, tolerance, thorough }: CompareCommand): Promise<Answer<Document>> {
  const bundle = files[0]!;
  const shipped = isShipped(bundle) && model === undefined ? bundle : null;
  const paths = shipped ? [] : [bundle, ...(model === undefined ? [] : [model])];
  if (isShipped(bundle) && model !== undefined) {
    throw new Error(`the goldens of ${bundle} go with its own graph; name public/goldens/${bundle}.zip to test another`);
  }
  paths.forEach(requirePath);
  const backends: BackendName[] = backend === 'both' ? ['wasm', 'webgpu'] : [backend];
  const engine = await openComparePage(backends);
  const { page } = engine;
  try {
    await giveFiles(page, paths);
    const answer = await page.evaluate((request) => voxlane.compareFiles(request), { shipped, map, backends, tolerance, thorough });
    if (!answer.ok) return answer;
    const { runs, failures } = answer.result;
    return runs.length === 0 ? { ok: false, error: failures[0]!.error } : { ok: true, result: documentOf(answer.result) };
  } finally {
    await engine.close();
  }
}

function documentOf({ runs, failures, between, notes }: Runs): Document {
  const [first, second] = runs as [ComparisonReport, ComparisonReport | undefined];
  if (!second || !between) return { ...first, notes, failures };
  const stages = first.stages.map((stage, index) => worse(stage, second.stages[index]!));
  // Both run the same graph, so the earlier of the two is the first divergence.
  const divergences = runs.map(({ firstDivergence }) => firstDivergence);
  return {
    ...first,
    backend: 'both',
    adapter: second.adapter,
    verdict: outcomeOf(runs.some(({ verdict }) => verdict === 'fail') ? 'fail' : 'pass', first.coverage),
    firstDivergence: stages.find(({ name }) => divergences.includes(name))?.name ?? null,
    seconds: first.seconds + second.seconds,
    stages,
    notes,
    failures,
    runs,
    between,
  };
}

function worse(one: StageReport, other: StageReport): StageReport {
  if (one.verdict !== other.verdict) return one.verdict === 'fail' ? one : other;
  // One that is to blame says more than one that inherits.
  if (one.inherited !== other.inherited) return one.inherited ? other : one;
  return (other.maxAbs ?? Infinity) > (one.maxAbs ?? Infinity) ? other : one;
}

function describe({ model, verdict, coverage, firstDivergence, stages, runs, backend, adapter, seconds }: Document): string {
  const where = [backend, adapter].filter(Boolean).join(', ');
  const parts = [
    verdict,
    ...(firstDivergence === null ? [] : [`first divergence ${firstDivergence}`]),
    ...(coverage.uncompared.length > 0 ? [`compared ${countText(coverage)}`] : []),
  ];
  const gap = stages.find(({ name }) => name === firstDivergence)?.uncomparedBefore ?? [];
  const head = [
    `${model} on ${where}: ${parts.join(', ')} (${seconds.toFixed(1)} s)`,
    ...(gap.length > 0 ? [`  the first divergence may be earlier: not compared before ${firstDivergence} are ${someOf(gap)}`] : []),
    ...(coverage.isOutputCompared ? [] : ['  no output of the graph was compared']),
  ].join('\n');
  const tables = (runs ?? [{ backend, stages }]).flatMap((run) => [
    `\n${run.backend}`,
    ...run.stages.flatMap(stageLines),
  ]);
  if (runs) return [head, ...tables, ''].join('\n');
  return [head, ...stages.flatMap(stageLines), ''].join('\n');
}

/** What was not compared, and what to do about it. */
function uncomparedLines({ uncompared }: Coverage): string[] {
  const merged = uncompared.filter(({ mergedWith }) => mergedWith !== null);
  const unknown = uncompared.filter(({ mergedWith }) => mergedWith === null);
  return [
    ...(unknown.length > 0 ? [`not compared, because no value of the graph is known for them (see --map): ${someOf(unknown.map(({ name }) => name))}`] : []),
    ...(merged.length > 0
      ? [`not compared, because the exporter merged them with the stage after them: ${someOf(merged.map(({ name, mergedWith }) => `${name} (with ${mergedWith})`))}`]
      : []),
  ];
}

const MAX_NAMES = 12;

const someOf = (names: readonly string[]): string =>
  names.length <= MAX_NAMES ? names.join(', ') : `${names.slice(0, MAX_NAMES).join(', ')} and ${names.length - MAX_NAMES} more`;

function stageLines(stage: StageReport): string[] {
  const { name, verdict, inherited, maxAbs, relative, cosine, quantiles, shape, goldenShape, shapesFit, causes, notes } = stage;
  const figures = shapesFit
    ? `max abs ${maxAbs?.toExponential(2) ?? 'not finite'}, relative ${relative?.toExponential(1) ?? 'not finite'}, cosine ${cosine?.toFixed(6) ?? 'not finite'}`
    : `(${shape.join(', ')}) against golden (${goldenShape.join(', ')})`;
  return [
    `  ${verdict} ${name.padEnd(14)} ${figures}${inherited ? ', inherited' : ''}`,
    ...(verdict === 'fail' && quantiles ? [`       errors: ${quantileText(quantiles)}`] : []),
    ...causes.map(({ id, evidence }) => `       ${id}: ${evidence}`),
    ...notes.map((note) => `       note: ${note}`),
  ];
}

const quantileText = ({ median, p90, p99 }: ErrorQuantiles): string =>
  ([['50 %', median], ['90 %', p90], ['99 %', p99]] as const).map(([share, error]) => `${share} at most ${error.toExponential(2)}`).join(', ');

await runCommand('compare', 2, main);
