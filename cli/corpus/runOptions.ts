import { parseArgs } from 'node:util';
import type { PresetId } from '../../src/index';
import { number } from '../arguments';
import { parseCommand, type DiarizeCommand } from '../diarizeOptions';
import { DIARIZER_OPTIONS, MAX_WINDOWS } from '../../src/engine/optionSchema';
import { isWindowed } from '../../src/engine/settings';
import { checkPreset } from '../presetChecks';
import type { Entry, StoredResult } from './layout';
import type { FileOptions, WorkerSettings } from './workerProtocol';

export const HELP = `Usage: voxlane corpus run DIR [--shard I/N] [options]

Diarizes the recordings that "corpus plan" listed in DIR, and writes DIR/results and DIR/failures. Finished files are
skipped, so the same command continues a run that was stopped or killed.

  --shard I/N                  process shard I, counted from 0, of the plan's N shards (default: from SLURM_ARRAY_TASK_ID,
                               JOB_COMPLETION_INDEX, AWS_BATCH_JOB_ARRAY_INDEX or CLOUD_RUN_TASK_INDEX; else all shards)
  --workers N                  worker processes, each with its own engine (default: from cores, memory and GPU memory)
  --threads N                  threads of each worker on WASM (default: cores divided by workers)
  --batch N                    windows per batch (default: chosen by the engine, or 1 if memory is short)
  --verify                     hash all recordings again, also those whose size and times are unchanged
  --json                       print events as JSON lines on standard output
  --help                       print this text

Options of "voxlane diarize" that apply to every file. The number of speakers in the manifest has priority.

  --preset ID                  models to use (default auto: community-1 if --model or VOXLANE_MODELS has its model, else campplus)
  --speed exact|fast           exact embeds every window; fast embeds every fifth or tenth window
  --model FILE                 embedding model of the preset, or weights of nemotron
  --trust-model                accept a model file with an unknown hash
  --hub ADDRESS                server for models that are not bundled
  --backend auto|webgpu|wasm   backend for the models
  --trust-gpu                  use the GPU without its self-check
  --clustering NAME            clustering settings: preset or pyannote-3.1
  --speakers N                 exact number of speakers
  --min-speakers N             at least N speakers
  --max-speakers N             at most N speakers
  --min-duration-on S          remove turns shorter than S seconds
  --min-duration-off S         fill gaps shorter than S seconds between two turns of the same speaker
  --streaming-mode MODE        mode of nemotron: offline, low_latency, very_low_latency or ultra_low_latency
  --start S                    start S seconds into each recording or segment
  --duration S                 stop after S seconds
  --track N                    audio track, counted from 1

Exit status: 0 if all files of the shard are done, 1 if some failed or the run stopped, 2 for wrong usage.
`;

export interface RunCommand {
  readonly folder: string;
  readonly shard: string | undefined;
  readonly workers: number | undefined;
  readonly threads: number | undefined;
  readonly batch: number | undefined;
  readonly verify: boolean;
  readonly json: boolean;
  readonly diarize: Pick<DiarizeCommand, 'preset' | 'speed' | 'model' | 'trustModel' | 'hub' | 'backend' | 'trustGpu' | 'clustering' | 'options'>;
}

const OWN = {
  shard: { type: 'string' },
  workers: { type: 'string' },
  threads: { type: 'string' },
  batch: { type: 'string' },
  verify: { type: 'boolean' },
  json: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

/** Flags of `diarize` that choose its output. Here, results have one form. */
const OTHER_OUTPUT: ReadonlySet<string> = new Set(['format', 'exclusive', 'out', 'engine', 'skip-existing', 'progress']);
const MAX_WORKERS = 256;

/** @throws Error with a one-line message for invalid arguments */
export function parseRun(args: readonly string[]): RunCommand | 'help' {
  const { own, rest } = ownArguments(args);
  const { values } = parseArgs({ args: own, options: OWN });
  if (values.help) return 'help';
  const diarize = parseCommand(rest);
  if (diarize === 'help') return 'help';
  const [folder, ...others] = diarize.files;
  if (others.length > 0) throw new Error(`expected one corpus folder, but got ${diarize.files.join(', ')}. Try --help.`);
  const threads = wholeIn('--threads', values.threads, DIARIZER_OPTIONS.threads.max);
  const batch = wholeIn('--batch', values.batch, MAX_WINDOWS);
  checkPreset(diarize, batch);
  const { preset } = diarize;
  if (threads !== undefined && threads > 1 && preset !== 'auto' && !isWindowed(preset)) {
    throw new Error(`--threads is ${threads}. Expected 1, or no --threads, with the preset ${preset}: its model has one thread in Node.`);
  }
  return {
    folder: folder!,
    shard: values.shard,
    workers: wholeIn('--workers', values.workers, MAX_WORKERS),
    threads,
    batch,
    verify: values.verify ?? false,
    json: values.json ?? false,
    diarize,
  };
}

/** Separates the flags of this command from those of `diarize`, which its own parser reads. */
function ownArguments(args: readonly string[]): { own: string[]; rest: string[] } {
  const { tokens } = parseArgs({ args: [...args], options: OWN, strict: false, allowPositionals: true, tokens: true });
  const isOwn = new Set<number>();
  let hasFolder = false;
  for (const token of tokens) {
    if (token.kind === 'positional') hasFolder = true;
    if (token.kind !== 'option') continue;
    if (OTHER_OUTPUT.has(token.name)) throw new Error(`--${token.name} is not an option of corpus run. The command "corpus merge" writes results in other formats.`);
    if (!(token.name in OWN)) continue;
    isOwn.add(token.index);
    if (token.value !== undefined && !token.inlineValue) isOwn.add(token.index + 1);
  }
  const own = args.filter((_, index) => isOwn.has(index));
  if (!hasFolder && !own.includes('--help')) throw new Error('expected a corpus folder. Try --help.');
  return { own, rest: args.filter((_, index) => !isOwn.has(index)) };
}

function wholeIn(name: string, text: string | undefined, max: number): number | undefined {
  const value = number(name, text);
  if (value !== undefined && (!Number.isInteger(value) || value < 1 || value > max)) {
    throw new Error(`${name} is ${text}. Expected a whole number from 1 to ${max}.`);
  }
  return value;
}

/** A model file and its hash. */
export interface ModelFile {
  readonly path: string;
  readonly sha256: string;
}

/**
 * The preset of a run. `auto` depends only on the options, and not on models that a machine has stored, so that all
 * machines of a cluster use the same models.
 */
export function presetOf({ preset }: RunCommand['diarize'], model: ModelFile | null): PresetId {
  if (preset !== 'auto') return preset;
  return model === null ? 'campplus' : 'community-1';
}

export function workerSettings(command: RunCommand, model: ModelFile | null, { threads, batch }: { readonly threads: number; readonly batch: number | undefined }): WorkerSettings {
  const { speed, clustering, backend, trustGpu, trustModel, hub } = command.diarize;
  return {
    preset: presetOf(command.diarize, model),
    speed,
    clustering,
    backend,
    trustGpu,
    trustUnknownModel: trustModel,
    threads,
    ...(batch !== undefined && { batchWindows: batch }),
    ...(hub !== undefined && { hub }),
    ...(model !== null && { modelPath: model.path }),
  };
}

/**
 * Options of the run of one entry. The number of speakers of the entry has priority over the bounds of the command.
 * `--start` and `--duration` select a part of the entry's segment.
 */
export function fileOptions(entry: Entry, { speakers, minSpeakers, maxSpeakers, startSeconds = 0, durationSeconds = Infinity, ...others }: FileOptions): FileOptions {
  const bounds =
    entry.numSpeakers !== undefined
      ? { speakers: entry.numSpeakers }
      : {
          ...(speakers !== undefined && { speakers }),
          ...(minSpeakers !== undefined && { minSpeakers }),
          ...(maxSpeakers !== undefined && { maxSpeakers }),
        };
  const start = (entry.startSeconds ?? 0) + startSeconds;
  const length = Math.min((entry.endSeconds ?? Infinity) - start, durationSeconds);
  return {
    ...others,
    ...bounds,
    ...(start > 0 && { startSeconds: start }),
    // A segment that ends before `--start` has no audio, which the library reports.
    ...(length !== Infinity && { durationSeconds: length }),
  };
}

/** Options that can change the result of an entry, for its record. Threads and batches do not. */
export function recordedOptions(entry: Entry, command: RunCommand, model: ModelFile | null): StoredResult['options'] {
  const { speed, clustering, backend, options } = command.diarize;
  const preset = presetOf(command.diarize, model);
  return {
    preset,
    speed,
    clustering,
    backend,
    ...(model !== null && { modelSha256: model.sha256 }),
    ...fileOptions(entry, options),
  };
}
