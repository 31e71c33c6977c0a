import { basename, extname } from 'node:path';
import { parseArgs } from 'node:util';
import type { BackendChoice, ClusteringName, DiarizeOptions, PresetId, Speed } from '../src/index';
import { checkRunOptions } from '../src/engine/options';
import { checkedAs, httpAddress, number, oneOf } from './arguments';

export const HELP = `Usage: npm run --silent diarize -- FILE… [options]

Finds who spoke when in audio or video files. Results go to standard output, progress to standard error.

  --preset auto|exact|fast|campplus|community-1
                               models to use (default auto: community-1 if its model is available); exact and fast
                               select auto with that speed
  --speed exact|fast           exact (default) embeds every window; fast embeds every fifth or tenth window
  --model FILE.onnx            embedding model of the preset, used instead of a download; alternatively, set
                               VOXLANE_MODELS to a folder with the model
  --trust-model                accept a model file with an unknown hash if it passes all other checks
  --hub ADDRESS                server for models that are not bundled
  --backend auto|webgpu|wasm   backend for the models (default auto)
  --trust-gpu                  use the GPU without its self-check
  --speakers N                 exact number of speakers
  --min-speakers N             at least N speakers
  --max-speakers N             at most N speakers
  --clustering preset|pyannote-3.1
                               clustering settings of the preset (default) or of pyannote, for comparisons
  --min-duration-on S          remove turns shorter than S seconds (default 0.15; 0 with --clustering pyannote-3.1)
  --min-duration-off S         fill gaps shorter than S seconds between two turns of the same speaker (default 0.1; 0 with
                               --clustering pyannote-3.1)
  --format rttm|json           output format (default rttm); documents of several files are concatenated
  --exclusive                  RTTM with one speaker at a time (JSON always has both)
  --out DIR                    write DIR/NAME.rttm (or .exclusive.rttm, .json) instead of standard output
  --start S                    start S seconds into the recording
  --duration S                 stop after S seconds
  --track N                    audio track of the file, counted from 1 (default: the file's default track, or the first)
  --help                       print this text

Exit status: 0 if every file was diarized, else 1.
`;

/** Options of a run that the command line supports. */
export type RunOptions = Pick<
  DiarizeOptions,
  'speakers' | 'minSpeakers' | 'maxSpeakers' | 'minDurationOn' | 'minDurationOff' | 'startSeconds' | 'durationSeconds' | 'track'
>;

export interface DiarizeCommand {
  readonly files: readonly string[];
  readonly preset: PresetId | 'auto';
  readonly speed: Speed;
  readonly model: string | undefined;
  readonly trustModel: boolean;
  readonly hub: string | undefined;
  readonly backend: BackendChoice;
  readonly trustGpu: boolean;
  readonly format: 'rttm' | 'json';
  readonly exclusive: boolean;
  readonly out: string | undefined;
  readonly clustering: ClusteringName;
  readonly options: RunOptions;
}

/** Command-line names of library options. */
export const OPTION_NAMES: Readonly<Record<keyof RunOptions, string>> = {
  speakers: '--speakers',
  minSpeakers: '--min-speakers',
  maxSpeakers: '--max-speakers',
  minDurationOn: '--min-duration-on',
  minDurationOff: '--min-duration-off',
  startSeconds: '--start',
  durationSeconds: '--duration',
  track: '--track',
};

/** @throws Error with a one-line message for invalid arguments */
export function parseCommand(args: readonly string[]): DiarizeCommand | 'help' {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      preset: { type: 'string', default: 'auto' },
      speed: { type: 'string' },
      model: { type: 'string' },
      'trust-model': { type: 'boolean', default: false },
      hub: { type: 'string' },
      backend: { type: 'string', default: 'auto' },
      'trust-gpu': { type: 'boolean', default: false },
      speakers: { type: 'string' },
      'min-speakers': { type: 'string' },
      'max-speakers': { type: 'string' },
      clustering: { type: 'string', default: 'preset' },
      'min-duration-on': { type: 'string' },
      'min-duration-off': { type: 'string' },
      format: { type: 'string', default: 'rttm' },
      exclusive: { type: 'boolean', default: false },
      out: { type: 'string' },
      start: { type: 'string' },
      duration: { type: 'string' },
      track: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  if (positionals.length === 0) throw new Error('expected at least one file. Try --help.');
  if (values.out !== undefined) outputNames(positionals);
  const options = {
    speakers: number('--speakers', values.speakers),
    minSpeakers: number('--min-speakers', values['min-speakers']),
    maxSpeakers: number('--max-speakers', values['max-speakers']),
    minDurationOn: number('--min-duration-on', values['min-duration-on']),
    minDurationOff: number('--min-duration-off', values['min-duration-off']),
    startSeconds: number('--start', values.start),
    durationSeconds: number('--duration', values.duration),
    track: number('--track', values.track),
  };
  // Absent options must stay absent.
  const given: RunOptions = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  checkedAs(OPTION_NAMES, () => checkRunOptions(given));
  return {
    files: positionals,
    ...presetAndSpeed(values.preset, values.speed),
    model: values.model,
    trustModel: values['trust-model'],
    hub: httpAddress('--hub', values.hub),
    backend: oneOf('--backend', values.backend, ['auto', 'webgpu', 'wasm']),
    trustGpu: values['trust-gpu'],
    clustering: oneOf('--clustering', values.clustering, ['preset', 'pyannote-3.1']),
    format: oneOf('--format', values.format, ['rttm', 'json']),
    exclusive: values.exclusive,
    out: values.out,
    options: given,
  };
}

/** A speed given as preset selects `auto` with that speed, as in `DiarizerOptions`. */
function presetAndSpeed(named: string, asked: string | undefined): Pick<DiarizeCommand, 'preset' | 'speed'> {
  const preset = oneOf('--preset', named, ['auto', 'exact', 'fast', 'campplus', 'community-1']);
  const speed = asked === undefined ? undefined : oneOf('--speed', asked, ['exact', 'fast']);
  if (preset !== 'exact' && preset !== 'fast') return { preset, speed: speed ?? 'exact' };
  if (speed === undefined || speed === preset) return { preset: 'auto', speed: preset };
  throw new Error(`--preset ${preset} and --speed ${speed} contradict each other. Use only one of them.`);
}

/**
 * Name of each file's result in `--out`, without suffix: `talk` for `talk.mp3`, or `talk.mp3` if there is also a
 * `talk.wav`.
 *
 * @throws Error if two names would still collide
 */
export function outputNames(files: readonly string[]): Map<string, string> {
  const stem = (file: string) => basename(file, extname(file));
  const names = new Map<string, string>();
  for (const file of new Set(files)) {
    const isAlone = files.every((other) => other === file || stem(other) !== stem(file));
    const name = isAlone ? stem(file) : basename(file);
    const other = [...names].find(([, taken]) => taken === name)?.[0];
    if (other !== undefined) throw new Error(`${other} and ${file} would both be written to ${name}. Use two folders.`);
    names.set(file, name);
  }
  return names;
}
