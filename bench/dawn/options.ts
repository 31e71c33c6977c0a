import { count, names, numbers } from '../../cli/arguments';
import { parsed, parseFlags, UsageError } from '../../cli/usage';
import type { Speed } from '../../src/index';

/** How a copy of the benchmark is started, and what it contains. */
export interface Program {
  /** Start of its usage. */
  readonly usage: string;
  /** Whether it has ONNX Runtime, which a paired run needs. */
  readonly canPair: boolean;
}

/** Half a minute each on a software adapter, and enough for a median that a single slow round does not move far. */
const PAIR_ROUNDS = 5;

const PAIR_HELP = `
  --pair           compare with ONNX Runtime's WebGPU instead: the same batch on our own kernels and through ONNX Runtime, in
                   alternation, in one process: segmentation, CAM++, and ResNet34 with seeded weights
  --windows N      with --pair: windows of the batch (default 1, as in the product on software adapters)
  --rounds N       with --pair: batches of each side after its first one, which has the compilation (default ${PAIR_ROUNDS})`;

const PAIR_NOTE = `
Pair: seconds of each batch, CPU seconds of the process, and the ratios ONNX Runtime / own with their medians and ranges.`;

export const helpOf = ({ usage, canPair }: Program): string => `Usage: ${usage} [options]

Measures Voxlane's WebGPU kernels in Node, without a browser, on the bundled sample, repeated to the requested length.

  --minutes LIST   lengths of the audio (default 10,60), with commas between them
  --seconds LIST   the same in seconds, for example 11 for a software adapter
  --speed LIST     fast, exact, or both (default fast,exact)
  --trust-gpu      measure the GPU without the product's self-check, in batches of one window; software adapters are
                   always measured like this${canPair ? PAIR_HELP : ''}
  --estimate       print estimated times for three classes of GPUs instead; needs no GPU
  --json           print JSON instead of tables
  --help           print this text

The figures are those of the library's build for Node with the backend webgpu. Seconds of a stage are those that its
worker waited. Segmentation and embedding share the GPU and overlap, so the stages add up to more than the wall time.
Rest: decoding, counting and reconstruction, on the CPU.
FLOPs: two per multiply-add of the layers, and the textbook count of the filterbank. Peak: the best rate of a kernel of
independent fused multiply-adds, because WebGPU reports none.
Parity: the first 30 s of the audio on WebGPU and on WASM.${canPair ? PAIR_NOTE : ''}
Driver: that of the system, or that of the manifest in VK_ICD_FILENAMES, for example vk_swiftshader_icd.json of a
Chromium installation, or lvp_icd.json of Mesa 25 or later.
Exit status: 0 on success, 1 if the measurement failed, 2 for wrong usage.
`;

export interface DawnCommand {
  /** Lengths of the audio, ascending. */
  readonly seconds: readonly number[];
  readonly speeds: readonly Speed[];
  readonly trustGpu: boolean;
  readonly estimate: boolean;
  /** Sizes of a paired run in place of the other measurements; null without it. */
  readonly pair: { readonly numWindows: number; readonly numRounds: number } | null;
  readonly json: boolean;
}

const SPEEDS: readonly Speed[] = ['fast', 'exact'];
/** Shorter audio has too little speech for an embedding. */
const MIN_SECONDS = 1;
/** A day. A WAV file of 16-bit samples at 16 kHz can have 37 hours. */
const MAX_SECONDS = 86_400;

const OPTIONS = {
  minutes: { type: 'string' },
  seconds: { type: 'string' },
  speed: { type: 'string' },
  'trust-gpu': { type: 'boolean' },
  estimate: { type: 'boolean' },
  pair: { type: 'boolean' },
  windows: { type: 'string' },
  rounds: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

type Name = keyof typeof OPTIONS;
type Values = Readonly<Partial<Record<Name, string | boolean>>>;

/** Options that would be ignored, or contradict the first one. */
const EXCLUDED: readonly (readonly [Name, readonly Name[]])[] = [
  ['pair', ['minutes', 'seconds', 'speed', 'trust-gpu', 'estimate']],
  ['estimate', ['trust-gpu']],
  ['minutes', ['seconds']],
];
const ONLY_PAIRED = ['windows', 'rounds'] as const;

/** @throws UsageError with a one-line message for invalid arguments */
export const parseCommand = (args: readonly string[], program: Program): DawnCommand | 'help' => parsed(() => parse(args, program));

function parse(args: readonly string[], { canPair }: Program): DawnCommand | 'help' {
  const values: Values & { readonly minutes?: string; readonly seconds?: string; readonly speed?: string } = parseFlags({ args: [...args], options: OPTIONS }).values;
  if (values.help) return 'help';
  if (!canPair && ['pair', ...ONLY_PAIRED].some((name) => values[name as Name] !== undefined)) {
    throw new Error('--pair works only in a clone of the repository, because this folder has no ONNX Runtime. Start npm run bench:gpu -- --pair there.');
  }
  for (const [name, others] of EXCLUDED) {
    const other = values[name] === undefined ? undefined : others.find((each) => values[each] !== undefined);
    if (other !== undefined) throw new Error(`--${name} and --${other} exclude each other. Expected one of them.`);
  }
  const unpaired = values.pair ? undefined : ONLY_PAIRED.find((name) => values[name] !== undefined);
  if (unpaired !== undefined) throw new Error(`--${unpaired} needs --pair.`);
  const { minutes, seconds } = values;
  const speeds = names('--speed', values.speed ?? SPEEDS.join(), SPEEDS);
  return {
    seconds: seconds === undefined ? lengths('--minutes', minutes ?? '10,60', 60) : lengths('--seconds', seconds, 1),
    // In the order of SPEEDS.
    speeds: SPEEDS.filter((speed) => speeds.includes(speed)),
    trustGpu: values['trust-gpu'] === true,
    estimate: values.estimate === true,
    pair: values.pair ? { numWindows: countOf(values, 'windows', 1), numRounds: countOf(values, 'rounds', PAIR_ROUNDS) } : null,
    json: values.json === true,
  };
}

function countOf(values: Values, name: (typeof ONLY_PAIRED)[number], fallback: number): number {
  const text = values[name] as string | undefined;
  return text === undefined ? fallback : count(`--${name}`, text);
}

/** Whether a batch fits the sample. @throws UsageError */
export function checkWindows(numWindows: number, numFit: number): void {
  if (numWindows > numFit) throw new UsageError(`--windows is ${numWindows}. Expected at most ${numFit}, the windows of the sample.`);
}

function lengths(name: string, text: string, unitSeconds: 1 | 60): number[] {
  const seconds = numbers(name, text, unitSeconds === 60 ? '10,60' : '11').map((length) => unitSeconds * length);
  if (seconds.some((length) => length < MIN_SECONDS)) {
    throw new Error(`${name} is ${text}. Expected lengths of at least ${MIN_SECONDS} s${unitSeconds === 60 ? ', for example 0.5 for half a minute' : ''}.`);
  }
  if (seconds.some((length) => length > MAX_SECONDS)) throw new Error(`${name} is ${text}. Expected lengths of at most ${MAX_SECONDS / unitSeconds}, a day.`);
  return [...new Set(seconds)].sort((a, b) => a - b);
}
