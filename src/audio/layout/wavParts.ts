import { isWav, readWavHeader } from '../wavHeader';
import { VoxlaneError } from '../../util/errors';
import { readBytes } from '../readBytes';

/** More recordings than anybody joins into one file: a damaged one must not keep the reader busy. */
const MOST_PARTS = 10_000;
/** Chunks after the samples that are passed over on the way to the next file. */
const MOST_CHUNKS = 100;

/**
 * The WAV files that lie one after another in a file.
 *
 * @returns the file itself if there is but one
 * @throws VoxlaneError `audio-decode` if the file cannot be read any more
 */
export async function findWavParts(source: Blob): Promise<Blob[]> {
  const parts: Blob[] = [];
  let start = 0;
  while (parts.length < MOST_PARTS) {
    const rest = start === 0 ? source : source.slice(start);
    const next = await nextFile(rest);
    parts.push(next === null ? rest : rest.slice(0, next));
    if (next === null) break;
    start += next;
  }
  return parts;
}

/** Offset of the WAV file that follows the first one; null if none does, or if the first cannot be read. */
async function nextFile(source: Blob): Promise<number | null> {
  let position: number;
  try {
    position = (await readWavHeader(source)).dataEnd;
  } catch (thrown) {
    if (thrown instanceof VoxlaneError && thrown.code !== 'audio-decode') return null;
    throw thrown;
  }
  for (let seen = 0; seen < MOST_CHUNKS && position + 12 <= source.size; seen++) {
    // A chunk of odd size is padded, but not by every writer.
    for (const at of [position, position + 1]) if (await isWav(source.slice(at))) return at;
    position += position % 2;
    const size = (await readBytes(source, position, position + 8)).getUint32(4, true);
    position += 8 + size;
  }
  return null;
}
