import type { RuntimeBackend } from '../src/compare/report';
import type { DecisionRule } from '../src/compare/decisions/rule';
import type { ToleranceOverride } from '../src/compare/stageTolerance';
import type { WeightsForm } from '../src/weights/convert';
import { number, oneOf } from './arguments';
import { ENGINE_HELP, ENGINES, type EngineName } from './engineNames';
import { parseFlags, refuseIdle } from './usage';

/** What `compare` prints for --help. */
export const HELP = `Usage: voxlane compare BUNDLE... [options]
       voxlane compare --list MODEL [BUNDLE]
       voxlane compare --precision BUNDLE [options]

Runs a model on the inputs of a golden bundle, compares every stage, and reports the first stage that is itself wrong.
BUNDLE is a golden bundle (.zip or folder), a .npz, .npy or .safetensors file, or the name of a bundled model. A folder that is
not a bundle is searched, with its subfolders, for bundles: zip files, folders, and .npz or .safetensors files with a graph of the
same name. Several bundles are compared one by one, with one line per bundle. The options apply to all bundles.

  --model FILE.onnx           graph to test (default: NAME.onnx beside the bundle NAME.zip, else the graph in the bundle,
                              else the bundled model of the bundle)
  --weights FILE.safetensors  weights of a graph that has none, such as that of Nemotron 3 Diarization
  --form float32|float16|int8
                              convert the weights of --weights as a diarizer does (default float32)
  --backend webgpu|wasm|both  ONNX Runtime backend (default wasm). With WASM, the kernels that the diarizer uses instead of
                              ONNX Runtime are also compared, if they support this graph
  --engine node|browser       ${ENGINE_HELP}
  --map STAGE=VALUE           use the graph value VALUE for STAGE if it was not found automatically; can be repeated
  --rtol X                    maximum error of a stage, relative to the spread of its golden values (default 1e-4
                              for float32, 7.8e-3 for float16, 0 for whole numbers)
  --atol X                    absolute error that always passes --rtol (default 1.2e-7; 0 for whole numbers)
  --cosine X                  minimum cosine between a stage and its golden values
                              These options override the bundle's tolerance; --rtol and --atol also override its absolute bound.
  --decisions KIND            decision made from the outputs: argmax (a class), threshold or threshold=X (each value, default 0.5),
                              ranking or ranking=N (order of the N largest values, default 10), or none (default: derived from
                              the bundle, the last operator of the graph, or an axis named class)
  --list                      print the layers of MODEL with their values and shapes, without comparing
  --precision                 round the weights of each node to float16 and to int8, and rank the nodes by decisions lost per
                              megabyte saved; takes one bundle
  --limit N                   number of nodes that --precision tries one by one, largest first (default 50)
  --thorough                  also check passing stages for differences between runs and batch sizes
  --json [FILE.json]          write the report as JSON to a file or to standard output
  --junit FILE.xml            write the report as JUnit XML: one test suite per bundle, one test case per stage
  --help                      print this text

Exit status: 0 if every compared stage passes; 1 if a stage fails; 2 after an error, if fewer than half of the stages or no
output of the graph was compared (even if a stage fails), or if one of two backends could not run and the other one passes.
Several bundles: 1 if any bundle would exit with 1, else 2 if any would exit with 2. If you interrupt the command, it writes the
reports of the finished bundles, or with --precision the nodes tried so far. --precision exits with 0 unless an error occurs.
`;

export interface CompareCommand {
  /** Bundles or folders of bundles; with `list`, a graph and optionally a bundle with its inputs. */
  readonly files: readonly string[];
  readonly list: boolean;
  /** Round the weights instead of comparing. */
  readonly precision: boolean;
  /** Number of nodes that `precision` tries. */
  readonly limit: number;
  readonly model: string | undefined;
  /** File with the weights of a graph without them. */
  readonly weights: string | undefined;
  /** Form to which they are converted. */
  readonly form: WeightsForm;
  readonly backend: RuntimeBackend | 'both';
  /** Undefined: Node, or a browser if WebGPU is required and Node has no GPU. */
  readonly engine: EngineName | undefined;
  readonly map: readonly (readonly [string, string])[];
  readonly tolerance: ToleranceOverride;
  /** Decision made from the outputs; undefined to derive it from the bundle and the graph. */
  readonly decisions: DecisionRule | undefined;
  readonly thorough: boolean;
  /** Whether the report goes to standard output as JSON. */
  readonly json: boolean;
  /** Path for the report as JSON. */
  readonly jsonFile: string | undefined;
  /** Path for the report as JUnit XML. */
  readonly junit: string | undefined;
}

/** @throws Error for invalid arguments */
export function parseCommand(args: readonly string[]): CompareCommand | 'help' {
  const { rest, jsonFile } = takeJsonFile(args);
  const { values, positionals } = parseFlags({
    args: rest,
    allowPositionals: true,
    options: {
      model: { type: 'string' },
      weights: { type: 'string' },
      form: { type: 'string' },
      backend: { type: 'string' },
      engine: { type: 'string' },
      map: { type: 'string', multiple: true, default: [] },
      rtol: { type: 'string' },
      atol: { type: 'string' },
      cosine: { type: 'string' },
      decisions: { type: 'string' },
      list: { type: 'boolean', default: false },
      precision: { type: 'boolean', default: false },
      limit: { type: 'string' },
      thorough: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      junit: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const { list } = values;
  if (positionals.length < 1 || (list && positionals.length > 2)) {
    throw new Error(list ? 'expected one graph and optionally a bundle. Try --help.' : 'expected a bundle. Try --help.');
  }
  if (list && (jsonFile !== undefined || values.junit !== undefined)) throw new Error('--list writes no report. Use --json without a file.');
  const limit = number('--limit', values.limit) ?? DEFAULT_LIMIT;
  if (!Number.isInteger(limit) || limit < 0) throw new Error(`--limit is ${limit}. Expected a whole number of 0 or more.`);
  const { precision } = values;
  if (values.limit !== undefined && !precision) throw new Error('--limit is an option of --precision.');
  if (precision) checkPrecision(values, positionals.length);
  if (list) refuseIdle(values, ['model', 'weights', 'form', 'backend', 'map', 'rtol', 'atol', 'cosine', 'decisions', 'thorough'], 'with --list, which compares nothing');
  return {
    files: positionals,
    list,
    precision,
    limit,
    model: values.model,
    weights: values.weights,
    form: oneOf('--form', values.form ?? 'float32', ['float32', 'float16', 'int8']),
    backend: oneOf('--backend', values.backend ?? 'wasm', ['webgpu', 'wasm', 'both']),
    engine: values.engine === undefined ? undefined : oneOf('--engine', values.engine, ENGINES),
    map: values.map.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new Error(`--map is ${pair}. Expected STAGE=VALUE.`);
      return [pair.slice(0, at), pair.slice(at + 1)] as const;
    }),
    tolerance: toleranceOf(values),
    decisions: values.decisions === undefined ? undefined : decisionRule(values.decisions),
    thorough: values.thorough,
    json: values.json,
    jsonFile,
    junit: values.junit,
  };
}

/** Number of nodes that `--precision` tries. */
const DEFAULT_LIMIT = 50;

function checkPrecision(values: { readonly list: boolean; readonly junit?: string | undefined; readonly backend?: string | undefined }, numFiles: number): void {
  const { list, junit, backend } = values;
  if (list || junit !== undefined) throw new Error(`--precision cannot be combined with ${list ? '--list' : '--junit'}.`);
  if (numFiles > 1) throw new Error('--precision takes one bundle.');
  if (backend === 'both') throw new Error('--precision takes one backend: webgpu or wasm.');
  refuseIdle(values, ['form', 'rtol', 'atol', 'cosine', 'thorough'], 'with --precision, which rounds the weights itself');
}

/** `argmax`, `threshold=0`, `ranking=5`, `none`. @throws Error for anything else */
function decisionRule(text: string): DecisionRule {
  const [name = '', value] = text.split(/=(.*)/s);
  const kind = oneOf('--decisions', name, ['argmax', 'threshold', 'ranking', 'none']);
  if (value === undefined) return { kind };
  const amount = value.trim() === '' ? NaN : Number(value);
  if (kind === 'threshold' && Number.isFinite(amount)) return { kind, threshold: amount };
  if (kind === 'ranking' && Number.isInteger(amount) && amount > 0) return { kind, top: amount };
  throw new Error(`--decisions is ${text}. Expected argmax, threshold=X, ranking=N with N of at least 1, or none.`);
}

/** Extracts the file of `--json FILE.json` or `--json=FILE`, because `parseArgs` does not support optional values. */
function takeJsonFile(args: readonly string[]): { rest: string[]; jsonFile: string | undefined } {
  const end = args.includes('--') ? args.indexOf('--') : args.length;
  const at = args.findIndex((arg, index) => index < end && (arg.startsWith('--json=') || (arg === '--json' && isJsonFile(args[index + 1]))));
  if (at < 0) return { rest: [...args], jsonFile: undefined };
  const [option, next] = args.slice(at);
  const isJoined = option !== '--json';
  const jsonFile = isJoined ? option!.slice('--json='.length) : next!;
  if (jsonFile === '') throw new Error('--json= names no file. Expected --json=FILE.');
  return { rest: [...args.slice(0, at), ...args.slice(at + (isJoined ? 1 : 2))], jsonFile };
}

/** No bundle has this ending. */
const isJsonFile = (arg: string | undefined): boolean => arg !== undefined && /\.json$/i.test(arg);

function toleranceOf(texts: { readonly rtol?: string; readonly atol?: string; readonly cosine?: string }): ToleranceOverride {
  const [rtol, atol, cosine] = (['rtol', 'atol', 'cosine'] as const).map((name) => number(`--${name}`, texts[name]));
  for (const [name, value] of [['rtol', rtol], ['atol', atol]] as const) {
    if (value !== undefined && value < 0) throw new Error(`--${name} is ${value}. Expected 0 or more.`);
  }
  if (cosine !== undefined && Math.abs(cosine) > 1) throw new Error(`--cosine is ${cosine}. Expected a number from -1 to 1.`);
  return { ...(rtol !== undefined && { rtol }), ...(atol !== undefined && { atol }), ...(cosine !== undefined && { cosine }) };
}
