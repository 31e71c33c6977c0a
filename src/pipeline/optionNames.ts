import { VoxlaneError } from '../util/errors';
import type { DiarizeOptions, DiarizerOptions } from './types';

const DIARIZER_NAMES: readonly string[] = Object.keys({
  preset: true,
  speed: true,
  clustering: true,
  idleSeconds: true,
  hub: true,
  modelFile: true,
  trustUnknownModel: true,
  onDownload: true,
  models: true,
  runtime: true,
  goldens: true,
  backend: true,
  trustGpu: true,
  batchWindows: true,
  threads: true,
} satisfies Record<keyof DiarizerOptions, true>);

const RUN_NAMES: readonly string[] = Object.keys({
  signal: true,
  onProgress: true,
  hook: true,
  onPreview: true,
  keepVoices: true,
  speakers: true,
  minSpeakers: true,
  maxSpeakers: true,
  minDurationOn: true,
  minDurationOff: true,
  startSeconds: true,
  durationSeconds: true,
  sampleRate: true,
  track: true,
} satisfies Record<keyof DiarizeOptions, true>);

/**
 * @param others names that are known beside those of a diarizer
 * @throws VoxlaneError `options` for any other, with the nearest that is known
 */
export function checkDiarizerNames(options: object, others: readonly string[] = []): void {
  checkNames(options, [...DIARIZER_NAMES, ...others]);
}

/** @throws VoxlaneError `options` for what `Diarizer.diarize` does not know, with the nearest that it does */
export function checkRunNames(options: object): void {
  checkNames(options, RUN_NAMES);
}

/**
 * Takes apart what one call is given for both.
 *
 * @throws VoxlaneError `options` for what neither knows, with the nearest that one of them does
 */
export function splitOptions(options: DiarizerOptions & DiarizeOptions): { diarizer: DiarizerOptions; run: DiarizeOptions } {
  checkNames(options, [...DIARIZER_NAMES, ...RUN_NAMES]);
  const entries = Object.entries(options);
  return {
    diarizer: Object.fromEntries(entries.filter(([name]) => DIARIZER_NAMES.includes(name))),
    run: Object.fromEntries(entries.filter(([name]) => RUN_NAMES.includes(name))),
  };
}

/** Callers without types pass anything. @throws VoxlaneError `options`, with the nearest known name */
export function checkNames(options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw new VoxlaneError({
      code: 'options',
      problem: `The options are ${String(options)}`,
      expected: 'an object, or nothing',
      remedy: 'Change the options and run again',
    });
  }
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    throw new VoxlaneError({
      code: 'options',
      problem: `There is no option ${name} here`,
      expected: `${nearest(name, known)}, which is the nearest`,
      remedy: `Those that there are: ${known.join(', ')}`,
    });
  }
}

function nearest(name: string, known: readonly string[]): string {
  const distances = known.map((each) => editDistance(name.toLowerCase(), each.toLowerCase()));
  return known[distances.indexOf(Math.min(...distances))]!;
}

/** Letters to add, take away or change for `a` to become `b` (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
