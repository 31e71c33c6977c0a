import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { number, numbers, oneOf } from '../../cli/arguments';
import { parsed, parseFlags } from '../../cli/usage';
import type { BackendChoice } from '../../src/index';
import { SHARED } from '../../test/shared';

const SAMPLE = 'public/sample.wav';

export const HELP = `Usage: npm run --silent bench:scale -- [FILE.wav…] [options]

Diarizes recordings of increasing length in a browser and prints time and memory of each stage and their growth.

The recordings are FILE… concatenated in repeated random permutations (default ${SAMPLE} and, if available, the clips of
../shared/audio). If every NAME.wav has a NAME.rttm beside it, the error rate is also printed.

  --minutes LIST        lengths (default 1,3,10,30,60,180)
  --preset NAME         preset (default fast); exact takes 0.15 to 0.2 s per second of audio on two cores, about half
                        an hour for three hours
  --backend NAME        auto, webgpu or wasm (default wasm)
  --seed N              seed of the order (default 1)
  --mp3                 use MP3 with variable bitrate instead of WAV
  --check               exit with 1 if a limit is exceeded
  --json                print {machine, preset, memoryKind, lengths, exponents, missed} instead of tables
  --help                print this text

Exponent: slope of log time over log length, fitted by least squares over lengths of at least 3 minutes, which excludes
startup costs. 1 is linear.
Memory: of Chromium's processes, sampled four times per second. PSS (divides memory pages shared by n processes by n) if
the system provides it (Linux), else RSS (counts shared pages in each process). Before: the page is open, nothing is
loaded. After: the workers have ended. A stage is active between its first and last progress report; stages overlap, and
a stage that runs between two samples has no figure. Clustering includes counting and reconstruction.
Longest task: on the main thread, from opening the diarizer to its result; browsers report tasks over 50 ms.
Limits: exponent 1.1 for all stages except clustering and for the total time, clustering 60 s, peak memory 1.5 GB,
memory growth 300 MB, no task over 50 ms.
Exit status: 0 on success, 1 if --check found an exceeded limit, 2 if the measurement failed or for wrong usage.
`;

export interface ScaleCommand {
  readonly files: readonly string[];
  /** Ascending. */
  readonly minutes: readonly number[];
  readonly preset: string;
  readonly backend: BackendChoice;
  readonly seed: number;
  readonly mp3: boolean;
  readonly check: boolean;
  readonly json: boolean;
}

/** @throws UsageError with a one-line message for invalid arguments */
export const parseCommand = (args: readonly string[]): ScaleCommand | 'help' => parsed(() => parse(args));

function parse(args: readonly string[]): ScaleCommand | 'help' {
  const { values, positionals } = parseFlags({
    args: [...args],
    allowPositionals: true,
    options: {
      minutes: { type: 'string', default: '1,3,10,30,60,180' },
      preset: { type: 'string', default: 'fast' },
      backend: { type: 'string', default: 'wasm' },
      seed: { type: 'string', default: '1' },
      mp3: { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const seed = number('--seed', values.seed)!;
  if (!Number.isInteger(seed)) throw new Error(`--seed is ${values.seed}. Expected a whole number.`);
  const { mp3, check, json } = values;
  return {
    files: positionals.length > 0 ? positionals : defaultFiles(),
    minutes: lengths(values.minutes),
    // The engine validates the name.
    preset: values.preset,
    backend: oneOf('--backend', values.backend, ['auto', 'webgpu', 'wasm']),
    seed,
    mp3,
    check,
    json,
  };
}

function lengths(text: string): number[] {
  const minutes = numbers('--minutes', text, '1,10,60');
  if (minutes.some((length) => length <= 0)) throw new Error(`--minutes is ${text}. Expected numbers above 0.`);
  return [...new Set(minutes)].sort((a, b) => a - b);
}

function defaultFiles(): string[] {
  const folder = join(SHARED, 'audio');
  const shared = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.wav')).sort() : [];
  return [SAMPLE, ...shared.map((name) => join(folder, name))];
}
