import { parseArgs } from 'node:util';
import { number, oneOf } from '../../cli/arguments';
import { BACKENDS, SYSTEMS, type Backend, type SystemName } from './system';

const SAMPLE = 'public/sample.wav';

export const HELP = `Usage: npm run --silent bench:peers -- [FILE.wav…] [options]

Runs Voxlane and the WASM build of sherpa-onnx, with the weights of the same models, one after the other on
each file (default ${SAMPLE}), and prints real-time factors, error rates and ratios.

  --rounds N            times that each file is run by each system (default 3)
  --systems LIST        of voxlane,sherpa-onnx (default both)
  --presets LIST        of Voxlane (default exact,fast); those of another embedding model than CAM++ are not
                        compared like with like
  --backends LIST       of wasm,webgpu for Voxlane (default wasm, and webgpu where there is a GPU)
  --json                {machine, runs, ratios, ratiosByBackend} instead of tables
  --help                this text

RTF: seconds of work per second of audio. Models are loaded, and each system has run once on up to 30 s of the
first file, before anything is timed. Decoding counts for Voxlane, which streams it, and not for sherpa-onnx.
DER: against NAME.rttm beside NAME.wav, as npm run score gives it (no collar, overlap scored): a fraction in JSON,
in percent in tables; null or - without such a file.
Ratio: how many times as long as Voxlane sherpa-onnx took, in the same round on the same file; the median of all
pairs. In JSON, ratios has those of each preset on the first backend, ratiosByBackend has all.
sherpa-onnx has one thread, its own defaults (complete linkage up to a cosine distance of 0.5, turns over 0.3 s,
gaps of up to 0.5 s closed), windows as ours, and no given number of speakers.
`;

export interface PeersCommand {
  readonly files: readonly string[];
  readonly rounds: number;
  readonly systems: readonly SystemName[];
  readonly presets: readonly string[];
  /** Null where all that there are were meant. */
  readonly backends: readonly Backend[] | null;
  readonly json: boolean;
}

/** @throws Error with one line that says what is wrong with the command line */
export function parseCommand(args: readonly string[]): PeersCommand | 'help' {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '3' },
      systems: { type: 'string', default: SYSTEMS.join(',') },
      presets: { type: 'string', default: 'exact,fast' },
      backends: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const rounds = number('--rounds', values.rounds)!;
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds is ${values.rounds}. Expected 1 or more.`);
  return {
    files: positionals.length > 0 ? [...new Set(positionals)] : [SAMPLE],
    rounds,
    systems: listed(values.systems).map((name) => oneOf('--systems', name, SYSTEMS)),
    // The engine knows which there are.
    presets: listed(values.presets),
    backends: values.backends === undefined ? null : listed(values.backends).map((name) => oneOf('--backends', name, BACKENDS)),
    json: values.json,
  };
}

const listed = (text: string): string[] => [...new Set(text.split(',').map((name) => name.trim()))];
