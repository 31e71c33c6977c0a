import { statSync } from 'node:fs';
import { count, names } from '../../cli/arguments';
import { parsed, parseFlags, refuseIdle } from '../../cli/usage';
import { DIARIZER_OPTIONS } from '../../src/engine/optionSchema';
import { BACKENDS, SYSTEMS, type Backend, type SystemName } from './system';

const SAMPLE = 'public/sample.wav';

export const HELP = `Usage: npm run --silent bench:peers -- [FILE.wav…] [options]

Runs Voxlane and the WASM build of sherpa-onnx with the same model weights alternately on each file
(default ${SAMPLE}), and prints real-time factors, error rates and ratios.

  --rounds N            number of runs per file and system (default 3)
  --systems LIST        voxlane,sherpa-onnx (default both)
  --presets LIST        presets of Voxlane (default exact,fast); presets with an embedding model other than CAM++
                        are not directly comparable
  --backends LIST       wasm,webgpu for Voxlane (default wasm, and webgpu if there is a GPU)
  --json                print {machine, runs, ratios, ratiosByBackend} instead of tables
  --help                print this text

RTF: seconds of work per second of audio. Before timing, the models are loaded, and each system runs once on up to
30 s of the first file. The time includes decoding for Voxlane, which streams it, but not for sherpa-onnx.
DER: against NAME.rttm beside NAME.wav, as computed by npm run score (no collar, overlap scored); a fraction in
JSON, percent in tables; null or - without such a file.
Ratio: time of sherpa-onnx divided by time of Voxlane, in the same round on the same file; the median of all pairs.
In JSON, ratios contains each preset on the first backend; ratiosByBackend contains all backends.
sherpa-onnx uses one thread, default settings (complete linkage up to a cosine distance of 0.5, turns over 0.3 s,
gaps of up to 0.5 s closed), the same windows as Voxlane, and an automatic number of speakers.
Exit status: 0 on success, 1 if the measurement failed, 2 for wrong usage.
`;

export interface PeersCommand {
  readonly files: readonly string[];
  readonly rounds: number;
  readonly systems: readonly SystemName[];
  readonly presets: readonly (typeof DIARIZER_OPTIONS.preset.values)[number][];
  /** Null for all available backends. */
  readonly backends: readonly Backend[] | null;
  readonly json: boolean;
}

/** @throws UsageError with a one-line message for invalid arguments */
export const parseCommand = (args: readonly string[]): PeersCommand | 'help' => parsed(() => parse(args));

function parse(args: readonly string[]): PeersCommand | 'help' {
  const { values, positionals } = parseFlags({
    args: [...args],
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '3' },
      systems: { type: 'string', default: SYSTEMS.join(',') },
      presets: { type: 'string' },
      backends: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const files = positionals.length > 0 ? [...new Set(positionals)] : [SAMPLE];
  const missing = files.find((file) => !statSync(file, { throwIfNoEntry: false })?.isFile());
  if (missing !== undefined) throw new Error(`${missing} does not exist or is not a file. Expected the path of a WAV file.`);
  const systems = names('--systems', values.systems, SYSTEMS);
  if (!systems.includes('voxlane')) refuseIdle(values, ['presets', 'backends'], 'without voxlane in --systems');
  return {
    files,
    rounds: count('--rounds', values.rounds),
    systems,
    presets: names('--presets', values.presets ?? 'exact,fast', DIARIZER_OPTIONS.preset.values),
    backends: values.backends === undefined ? null : names('--backends', values.backends, BACKENDS),
    json: values.json,
  };
}
