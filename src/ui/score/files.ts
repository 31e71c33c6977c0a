import { parseRttm } from '../../formats/rttm';
import { parseUem, type UemRegion } from '../../formats/uem';
import type { Turn } from '../../timeline/turn';
import { VoxlaneError } from '../../util/errors';
import { rttmUri, stem } from '../format';

export type FileRole = 'reference' | 'uem';

/** A file that was read: its turns or regions, by the name of the recording. */
export interface ReadFile<T> {
  readonly file: string;
  readonly recordings: ReadonlyMap<string, readonly T[]>;
}

/** What a file is taken for. The name says it; where it does not, the first record does: RTTM starts with a type. */
export function roleOf(name: string, text: string): FileRole {
  if (/\.rttm$/i.test(name)) return 'reference';
  if (/\.uem$/i.test(name)) return 'uem';
  const record = text.split(/\r\n|\r|\n/).find((line) => line.trim() !== '' && !line.startsWith(';;')) ?? '';
  return /^\S+\s+\S+\s+[\d.]+\s+[\d.]+\s*$/.test(record) ? 'uem' : 'reference';
}

/**
 * The turns of a reference.
 *
 * @throws VoxlaneError `format` for a line that is no RTTM record, with its number, and for a file without any turn.
 */
export function readReference(file: string, text: string): ReadFile<Turn> {
  const recordings = parseRttm(text);
  if (recordings.size > 0) return { file, recordings };
  throw new VoxlaneError({
    code: 'format',
    problem: `${file} has no turn`,
    expected: 'an RTTM file with a SPEAKER line for each turn',
    remedy: 'Choose the file that says who spoke when',
  });
}

/**
 * The regions of a UEM.
 *
 * @throws VoxlaneError `format` for a line that is none, with its number, and for a file without any region.
 */
export function readUem(file: string, text: string): ReadFile<UemRegion> {
  const recordings = parseUem(text);
  if (recordings.size > 0) return { file, recordings };
  throw new VoxlaneError({
    code: 'format',
    problem: `${file} has no region`,
    expected: 'a UEM file with a line for each region',
    remedy: 'Choose another file, or score without one',
  });
}

/**
 * The recording among several that goes by the name of a file, with its folder and extension or without; the only one
 * where there is only one; null where none does.
 */
export function recordingFor(names: readonly string[], file: string): string | null {
  if (names.length === 1) return names[0] ?? null;
  const wanted = [file, stem(file), rttmUri(file)];
  return names.find((name) => wanted.includes(name)) ?? names.find((name) => wanted.includes(stem(name))) ?? null;
}
