/**
 * Command line: a model against its golden bundle, stage by stage.
 *
 *     npm run --silent compare -- BUNDLE [--model FILE.onnx] [--backend webgpu|wasm|both] [--json]
 */
import { parseArgs } from 'node:util';
import type { BackendName, BetweenReport, ComparisonReport, ErrorQuantiles, StageReport } from '../src/compare/report';
import type { ToleranceOverride } from '../src/compare/stageTolerance';
import { isShipped } from '../src/store/shipped';
import type { ErrorParts } from '../src/util/errors';
import { number, oneOf } from './arguments';
import { failureText, giveFiles, openComparePage, type Answer } from './comparePage';
import { requirePath } from './inputs';
import { print, say } from './output';
import { runCommand } from './script';

const HELP = `Usage: npm run --silent compare -- BUNDLE [options]

Runs a model on the inputs of a golden bundle, compares every stage, and names the first that is wrong by itself.
BUNDLE is a golden bundle (.zip or folder), .npz, .npy or .safetensors file, or the name of a shipped model.

  --model FILE.onnx           the graph to test (default: the shipped model that the bundle is of)
  --backend webgpu|wasm|both  where it runs (default wasm)
  --map STAGE=VALUE           the graph value that a stage is, where names do not tell; may be repeated
  --rtol X                    greatest error of a stage, relative to its golden values (root mean squares; default 1e-4
                              for float32, 7.8e-3 for float16, 0 for whole numbers)
  --atol X                    absolute error that passes --rtol at any scale (default 1.2e-7; 0 for whole numbers)
  --cosine X                  least cosine between a stage and its golden values
                              These replace the bundle's tolerance; --rtol and --atol its absolute bound, too.
  --thorough                  look for differences between runs and batch sizes in stages that pass, too
  --json                      the report as JSON on standard output
  --help                      this text

Exit status: 0 where every stage passes, 1 where one fails, 2 where nothing could be compared, also where that is so of
one of two backends and the other passes.
`;

interface CompareCommand {
  readonly bundle: string;
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
  readonly unmapped: readonly string[];
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
  readonly unmapped: readonly string[];
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
      thorough: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const [bundle, ...others] = positionals;
  if (bundle === undefined || others.length > 0) throw new Error('expected one bundle. Try --help.');
  return {
    bundle,
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
  const answer = await compare(command);
  if (!answer.ok) {
    if (command.json) await print(`${JSON.stringify({ error: answer.error }, null, 2)}\n`);
    say(`compare: ${failureText(answer.error)}`);
    return 2;
  }
  const { result } = answer;
  for (const name of result.unmapped) say(`compare: no graph value is known for the stage ${name}: not compared (see --map)`);
  for (const note of result.notes) say(`compare: ${note}`);
  for (const { backend, error } of result.failures) say(`compare: ${backend}: ${failureText(error)}`);
  await print(command.json ? `${JSON.stringify(result, null, 2)}\n` : describe(result));
  if (result.verdict === 'fail') return 1;
  return result.failures.length > 0 ? 2 : 0;
}

async function compare({ bundle, model, backend, map, tolerance, thorough }: CompareCommand): Promise<Answer<Document>> {
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

function documentOf({ runs, failures, between, unmapped, notes }: Runs): Document {
  const [first, second] = runs as [ComparisonReport, ComparisonReport | undefined];
  if (!second || !between) return { ...first, unmapped, notes, failures };
  const stages = first.stages.map((stage, index) => worse(stage, second.stages[index]!));
  // Both run the same graph, so the earlier of the two is the first divergence.
  const divergences = runs.map(({ firstDivergence }) => firstDivergence);
  return {
    ...first,
    backend: 'both',
    adapter: second.adapter,
    verdict: runs.some(({ verdict }) => verdict === 'fail') ? 'fail' : 'pass',
    firstDivergence: stages.find(({ name }) => divergences.includes(name))?.name ?? null,
    seconds: first.seconds + second.seconds,
    stages,
    unmapped,
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

function describe({ model, verdict, firstDivergence, stages, runs, backend, adapter, seconds }: Document): string {
  const where = [backend, adapter].filter(Boolean).join(', ');
  const head = `${model} on ${where}: ${verdict}${firstDivergence === null ? '' : `, first divergence ${firstDivergence}`} (${seconds.toFixed(1)} s)`;
  const tables = (runs ?? [{ backend, stages }]).flatMap((run) => [
    `\n${run.backend}`,
    ...run.stages.flatMap(stageLines),
  ]);
  if (runs) return [head, ...tables, ''].join('\n');
  return [head, ...stages.flatMap(stageLines), ''].join('\n');
}

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
