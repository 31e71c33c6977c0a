import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { number, oneOf } from '../../cli/arguments';
import type { BackendChoice } from '../../src/index';
import { SHARED } from '../../test/shared';

const SAMPLE = 'public/sample.wav';

export const HELP = `Usage: npm run --silent bench:scale -- [FILE.wav…] [options]

Diarizes ever longer recordings in a browser and prints time and memory of each stage, and how they grow.

The recordings are FILE… one after another in a drawn order, again and again (default ${SAMPLE} and, where they are
there, the clips of ../shared/audio); with NAME.rttm beside every NAME.wav their error rate is printed too.

  --minutes LIST        lengths (default 1,3,10,30,60,180)
  --preset NAME         default fast. exact takes 0.15 to 0.2 s per second of audio on two cores: about half an hour
                        for three hours
  --backend NAME        auto, webgpu or wasm (default wasm)
  --seed N              of the order (default 1)
  --mp3                 MP3 of variable bitrate in place of WAV
  --check               exit with 1 where a bound is missed
  --json                {machine, preset, memoryKind, lengths, exponents, missed} instead of tables
  --help                this text

Exponent: the slope of the logarithm of the time over that of the length, by least squares over the lengths from 3
minutes on, so that what a start costs does not count. 1 is linear.
Memory: of Chromium's processes, four times a second. PSS, in which a page that n processes share counts 1/n in each,
where the system tells it (Linux), else RSS, in which it counts in each. Before: the page is open and nothing is loaded.
After: the workers have ended by themselves. A stage is at work from its first to its last report of progress; stages
overlap, and one that is over between two samples has no figure. Counting and reconstruction belong to clustering's.
Longest task: of the page's thread, from opening the diarizer to its result; the browser reports those over 50 ms.
Bounds: exponents of all stages but clustering and of the whole 1.1, clustering 60 s, memory 1.5 GB at its peak and
300 MB more after than before, no task over 50 ms.
Exit status: 0; 1 where --check found a bound missed; 2 where it could not be measured.
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

/** @throws Error with one line that says what is wrong with the command line */
export function parseCommand(args: readonly string[]): ScaleCommand | 'help' {
  const { values, positionals } = parseArgs({
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
    // The engine knows which there are.
    preset: values.preset,
    backend: oneOf('--backend', values.backend, ['auto', 'webgpu', 'wasm']),
    seed,
    mp3,
    check,
    json,
  };
}

function lengths(text: string): number[] {
  const minutes = text.split(',').map((part) => number('--minutes', part)!);
  if (minutes.some((length) => length <= 0)) throw new Error(`--minutes is ${text}. Expected numbers above 0.`);
  return [...new Set(minutes)].sort((a, b) => a - b);
}

function defaultFiles(): string[] {
  const folder = join(SHARED, 'audio');
  const shared = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.wav')).sort() : [];
  return [SAMPLE, ...shared.map((name) => join(folder, name))];
}
