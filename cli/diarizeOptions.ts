import type { BackendChoice, ClusteringName, DiarizeOptions, PresetId, Speed } from '../src/index';
import { checkRunOptions } from '../src/engine/options';
import { ALL_OPTIONS, DESCRIPTIONS, DIARIZER_OPTIONS, type OptionRule, RUN_OPTIONS } from '../src/engine/optionSchema';
import { checkedAs, httpAddress, number, oneOf } from './arguments';
import { ENGINES, type EngineName } from './engineNames';
import { FORMATS, type Format } from './resultDocuments';
import { parseFlags, refuseIdle } from './usage';

/** A flag without `value` is on or off. */
interface Flag {
  readonly name: string;
  /** What the help shows for the value. */
  readonly value?: string;
  readonly text: string;
  readonly option?: keyof typeof ALL_OPTIONS;
}

/** The flag of an option. `extra` is added to the option's description. */
function flagOf(option: keyof typeof DESCRIPTIONS, name: string, { value, extra = '' }: { readonly value?: string; readonly extra?: string } = {}): Flag {
  const rule: OptionRule = ALL_OPTIONS[option];
  const shown = 'values' in rule ? rule.values.join('|') : rule.type === 'whole' ? 'N' : rule.type === 'seconds' ? 'S' : value;
  return { name, text: DESCRIPTIONS[option] + extra, option, ...(shown !== undefined && { value: shown }) };
}

/** In the order of the help. */
const FLAGS: readonly Flag[] = [
  flagOf('preset', 'preset'),
  flagOf('speed', 'speed'),
  flagOf('modelFile', 'model', { value: 'FILE', extra: '; alternatively, set VOXLANE_MODELS to a folder with the model' }),
  flagOf('trustUnknownModel', 'trust-model'),
  flagOf('hub', 'hub', { value: 'ADDRESS' }),
  flagOf('backend', 'backend'),
  flagOf('trustGpu', 'trust-gpu'),
  flagOf('speakers', 'speakers'),
  flagOf('minSpeakers', 'min-speakers'),
  flagOf('maxSpeakers', 'max-speakers'),
  flagOf('clustering', 'clustering'),
  flagOf('minDurationOn', 'min-duration-on', { extra: ' (default 0.15; 0 with nemotron, and with --clustering pyannote-3.1)' }),
  flagOf('minDurationOff', 'min-duration-off', { extra: ' (default 0.1; 0 with nemotron, and with --clustering pyannote-3.1)' }),
  { name: 'format', value: FORMATS.join('|'), text: 'output format (default rttm); several with commas, or with --format repeated, and --out' },
  { name: 'exclusive', text: 'one speaker at a time, in all formats but JSON, which always has both kinds of turns' },
  { name: 'out', value: 'DIR', text: 'write DIR/NAME.rttm (or .exclusive.rttm, .json …) instead of standard output; the subfolders of an input folder are kept' },
  { name: 'skip-existing', text: 'skip files whose results are in --out' },
  flagOf('streamingMode', 'streaming-mode'),
  flagOf('startSeconds', 'start'),
  flagOf('durationSeconds', 'duration'),
  flagOf('track', 'track'),
  { name: 'engine', value: ENGINES.join('|'), text: 'run in Node or in a headless browser (default node, or browser with --backend webgpu)' },
  { name: 'progress', text: 'print the progress within each file (default with one file)' },
  { name: 'json', text: 'print a line of JSON per file on standard output; without --out, it has the documents' },
  { name: 'quiet', text: 'print only results and failures' },
  { name: 'help', text: 'print this text' },
];

/** Column of the descriptions. */
const TEXT_COLUMN = 31;
const MAX_COLUMNS = 120;

function helpOf({ name, value, text }: Flag): string {
  const flag = `  --${name}${value === undefined ? '' : ` ${value}`}`;
  const lines: string[] = flag.length < TEXT_COLUMN - 1 ? [] : [flag];
  let line = lines.length === 0 ? flag.padEnd(TEXT_COLUMN) : ' '.repeat(TEXT_COLUMN);
  for (const word of text.split(' ')) {
    if (line.length + word.length > MAX_COLUMNS) {
      lines.push(line.trimEnd());
      line = ' '.repeat(TEXT_COLUMN);
    }
    line += `${word} `;
  }
  return [...lines, line.trimEnd()].join('\n');
}

export const HELP = `Usage: voxlane diarize INPUT… [options]

Finds who spoke when in audio or video files. Results go to standard output, progress to standard error.
An INPUT is a file, a folder with all its subfolders, a quoted pattern such as 'talks/**/*.mp3', a manifest (NeMo or
Lhotse JSON lines, CSV, or a list of files), or - for a file on standard input.

${FLAGS.map(helpOf).join('\n')}

Exit status: 0 if every file was diarized, 1 if some failed, 2 for wrong usage, 42 if there is only one file, and it is
missing or not a readable recording.
`;

/** Options of a run that the command line supports. */
export type RunOptions = Pick<
  DiarizeOptions,
  'speakers' | 'minSpeakers' | 'maxSpeakers' | 'minDurationOn' | 'minDurationOff' | 'streamingMode' | 'startSeconds' | 'durationSeconds' | 'track'
>;

export interface DiarizeCommand {
  /** Files, folders, patterns and `-`, as given. */
  readonly files: readonly string[];
  readonly preset: PresetId | 'auto';
  readonly speed: Speed;
  readonly model: string | undefined;
  readonly trustModel: boolean;
  readonly hub: string | undefined;
  readonly backend: BackendChoice;
  readonly trustGpu: boolean;
  /** At least one; exactly one without `out`. */
  readonly formats: readonly Format[];
  readonly exclusive: boolean;
  readonly out: string | undefined;
  readonly skipsExisting: boolean;
  /** Undefined: chosen by the other options. */
  readonly engine: EngineName | undefined;
  readonly progress: boolean;
  readonly quiet: boolean;
  readonly json: boolean;
  readonly clustering: ClusteringName;
  readonly options: RunOptions;
}

const RUN_FLAGS = FLAGS.flatMap(({ name, option }) => (option !== undefined && option in RUN_OPTIONS ? [{ name, option }] : []));

/** The flags of a run's options. */
export const OPTION_NAMES: Readonly<Record<string, string>> = Object.fromEntries(RUN_FLAGS.map(({ name, option }) => [option, `--${name}`]));

/**
 * Reads and checks the options of a run.
 *
 * @param text value of a flag by its name without dashes; undefined if it is not set, or if the command does not have it
 * @throws Error with a one-line message for a value outside of its range, and for values that contradict each other
 */
export function runOptions(text: (name: string) => string | undefined): RunOptions {
  // Absent options must stay absent.
  const options: RunOptions = Object.fromEntries(
    RUN_FLAGS.flatMap(({ name, option }) => {
      const value = 'values' in ALL_OPTIONS[option] ? text(name) : number(`--${name}`, text(name));
      return value === undefined ? [] : [[option, value]];
    }),
  );
  checkedAs(OPTION_NAMES, () => checkRunOptions(options));
  return options;
}

/** @throws Error with a one-line message for invalid arguments */
export function parseCommand(args: readonly string[]): DiarizeCommand | 'help' {
  const { values, positionals } = parseFlags({
    args: [...args],
    allowPositionals: true,
    options: Object.fromEntries(
      FLAGS.map(({ name, value }) => [name, { type: value === undefined ? 'boolean' : 'string', ...(name === 'format' && { multiple: true }) }]),
    ),
  });
  const isSet = (name: string): boolean => values[name] === true;
  const text = (name: string): string | undefined => {
    const value = values[name];
    return typeof value === 'string' ? value : undefined;
  };
  if (isSet('help')) return 'help';
  if (positionals.length === 0) throw new Error('expected at least one file or folder. Try --help.');
  const out = text('out');
  const formats = formatsOf(values.format);
  if (out === undefined && formats.length > 1 && !isSet('json')) throw new Error('several formats need a folder. Add --out DIR.');
  if (out === undefined && isSet('skip-existing')) throw new Error('--skip-existing needs a folder with results. Add --out DIR.');
  const engine = text('engine');
  const options = runOptions(text);
  const { backend, clustering } = DIARIZER_OPTIONS;
  const chosen = presetAndSpeed(text('preset'), text('speed'));
  const asked = oneOf('--backend', text('backend') ?? backend.values[0], backend.values);
  if (asked === 'wasm') refuseIdle(values, ['trust-gpu'], 'with --backend wasm');
  if (isSet('quiet')) refuseIdle(values, ['progress'], 'with --quiet');
  if (formats.every((name) => name === 'json')) refuseIdle(values, ['exclusive'], 'with --format json, which always has both kinds of turns');
  refuseIdleModel(values, chosen.preset);
  return {
    files: positionals,
    ...chosen,
    model: text('model'),
    trustModel: isSet('trust-model'),
    hub: httpAddress('--hub', text('hub')),
    backend: asked,
    trustGpu: isSet('trust-gpu'),
    clustering: oneOf('--clustering', text('clustering') ?? clustering.values[0], clustering.values),
    formats,
    exclusive: isSet('exclusive'),
    out,
    skipsExisting: isSet('skip-existing'),
    engine: engine === undefined ? undefined : oneOf('--engine', engine, ENGINES),
    quiet: isSet('quiet'),
    progress: isSet('progress'),
    json: isSet('json'),
    options,
  };
}

/** Refuses flags about files that a preset does not use. @param values of `parseArgs` @throws Error with a one-line message */
export function refuseIdleModel(values: Readonly<Record<string, unknown>>, preset: PresetId | 'auto'): void {
  if (preset !== 'campplus') return;
  refuseIdle(values, ['hub'], 'with the preset campplus, whose models are bundled');
  if (values.model === undefined) refuseIdle(values, ['trust-model'], 'with the preset campplus and without --model');
}

/** A speed given as preset selects `auto` with that speed, as in `DiarizerOptions`. */
function presetAndSpeed(named: string | undefined, asked: string | undefined): Pick<DiarizeCommand, 'preset' | 'speed'> {
  const rules = DIARIZER_OPTIONS;
  const preset = oneOf('--preset', named ?? rules.preset.values[0], rules.preset.values);
  const speed = asked === undefined ? undefined : oneOf('--speed', asked, rules.speed.values);
  if (preset !== 'exact' && preset !== 'fast') return { preset, speed: speed ?? rules.speed.values[0] };
  if (speed === undefined || speed === preset) return { preset: 'auto', speed: preset };
  throw new Error(`--preset ${preset} and --speed ${speed} contradict each other. Use only one of them.`);
}

/** The values of `--format`, each a name or several with commas. */
function formatsOf(given: unknown): Format[] {
  const names = Array.isArray(given) ? given.flatMap((text) => String(text).split(',')) : ['rttm'];
  return [...new Set(names.map((name) => oneOf('--format', name.trim(), FORMATS)))];
}
