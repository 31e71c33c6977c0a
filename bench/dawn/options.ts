import { number } from '../../cli/arguments';
import { parsed, parseFlags } from '../../cli/usage';
import type { Speed } from '../../src/index';

export const HELP = `Usage: npm run --silent bench:gpu -- [options]

Measures Voxlane's WebGPU kernels in Node, without a browser, on the bundled sample, repeated to the requested length.

  --minutes LIST   lengths of the audio (default 10,60)
  --seconds N      one short length instead, for example 11 for a software adapter
  --speed LIST     fast, exact, or both (default fast,exact)
  --trust-gpu      measure the GPU without the product's self-check, in batches of one window; software adapters are
                   always measured like this
  --pair           compare with ONNX Runtime's WebGPU instead: the same batch on our own kernels and through ONNX Runtime, in
                   alternation, in one process
  --windows N      with --pair: windows of the batch (default 1, as in the product on software adapters)
  --rounds N       with --pair: batches of each side after its first one, which has the compilation (default 3)
  --estimate       print estimated times for three classes of GPUs instead; needs no GPU
  --json           print JSON instead of tables
  --help           print this text

The figures are those of the library's build for Node with the backend webgpu. Seconds of a stage are those that its
worker waited. Segmentation and embedding share the GPU and overlap, so the stages add up to more than the wall time.
Rest: decoding, counting and reconstruction, on the CPU.
FLOPs: two per multiply-add of the layers, and the textbook count of the filterbank. Peak: the best rate of a kernel of
independent fused multiply-adds, because WebGPU reports none.
Parity: the first 30 s of the audio on WebGPU and on WASM.
Pair: seconds of each batch, CPU seconds of the process, and the ratios ONNX Runtime / own with their medians.
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

/** @throws UsageError with a one-line message for invalid arguments */
export const parseCommand = (args: readonly string[]): DawnCommand | 'help' => parsed(() => parse(args));

function parse(args: readonly string[]): DawnCommand | 'help' {
  const { values } = parseFlags({
    args: [...args],
    options: {
      minutes: { type: 'string' },
      seconds: { type: 'string' },
      speed: { type: 'string' },
      'trust-gpu': { type: 'boolean', default: false },
      estimate: { type: 'boolean', default: false },
      pair: { type: 'boolean', default: false },
      windows: { type: 'string' },
      rounds: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const { minutes, seconds, estimate, json } = values;
  if (minutes !== undefined && seconds !== undefined) throw new Error('--minutes and --seconds exclude each other. Expected one of them.');
  return {
    seconds: seconds === undefined ? lengths('--minutes', minutes ?? '10,60', 60) : lengths('--seconds', seconds, 1),
    speeds: speedsOf(values.speed ?? SPEEDS.join()),
    trustGpu: values['trust-gpu'],
    estimate,
    pair: pairOf(values),
    json,
  };
}

/** Options that a paired run does not have. */
const NOT_PAIRED = ['minutes', 'seconds', 'speed', 'trust-gpu', 'estimate'] as const;
const PAIRED = ['windows', 'rounds'] as const;

function pairOf(values: Readonly<Partial<Record<'pair' | (typeof NOT_PAIRED)[number] | (typeof PAIRED)[number], string | boolean | undefined>>>): DawnCommand['pair'] {
  const isGiven = (name: keyof typeof values): boolean => values[name] !== undefined && values[name] !== false;
  const wrong = (values.pair ? NOT_PAIRED : PAIRED).find(isGiven);
  if (wrong !== undefined) throw new Error(values.pair ? `--pair and --${wrong} exclude each other. Expected one of them.` : `--${wrong} needs --pair.`);
  if (!values.pair) return null;
  const countOf = (name: (typeof PAIRED)[number], fallback: number): number => {
    const text = values[name] as string | undefined;
    const count = text === undefined ? fallback : number(`--${name}`, text)!;
    if (!Number.isInteger(count) || count < 1) throw new Error(`--${name} is ${text}. Expected a whole number of at least 1.`);
    return count;
  };
  return { numWindows: countOf('windows', 1), numRounds: countOf('rounds', 3) };
}

function lengths(name: string, text: string, unitSeconds: number): number[] {
  const seconds = text.split(',').map((part) => unitSeconds * number(name, part)!);
  if (seconds.some((length) => length < MIN_SECONDS)) throw new Error(`${name} is ${text}. Expected lengths of at least ${MIN_SECONDS} s.`);
  return [...new Set(seconds)].sort((a, b) => a - b);
}

function speedsOf(text: string): Speed[] {
  const names = text.split(',');
  const wrong = names.find((name) => !SPEEDS.some((speed) => speed === name));
  if (wrong !== undefined) throw new Error(`--speed is ${text}. Expected fast, exact, or both with a comma.`);
  return SPEEDS.filter((speed) => names.includes(speed));
}
