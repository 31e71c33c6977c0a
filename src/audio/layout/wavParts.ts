import { VoxlaneError } from '../../util/errors';
import { readBytes } from '../readBytes';
import { isWav, readWavHeader, RIFF_NAMES } from '../wavHeader';
import { ByteReader, hasText } from './byteReader';

/** Limits the work on a damaged file. */
const MOST_PARTS = 10_000;
/** Chunks after the samples that are skipped on the way to the next file. */
const MOST_CHUNKS = 100;
const SEARCHED_BYTES = 1 << 20;
/** From the start of a WAV file to its "WAVE". */
const NAME_OFFSET = 8;

/**
 * The WAV files that lie one after another in a file.
 *
 * @returns the file itself if there is only one
 * @throws VoxlaneError `audio-decode` if the file can no longer be read, `audio-unsupported` for more than 10,000 files
 */
export async function findWavParts(source: Blob): Promise<Blob[]> {
  const parts: Blob[] = [];
  let rest = source;
  for (let next = await nextFile(rest); next !== null; next = await nextFile(rest)) {
    parts.push(rest.slice(0, next));
    rest = rest.slice(next);
    if (parts.length === MOST_PARTS) throw tooMany();
  }
  return [...parts, rest];
}

function tooMany(): VoxlaneError {
  return new VoxlaneError({
    code: 'audio-unsupported',
    problem: `The file holds more than ${MOST_PARTS} WAV files one after another`,
    expected: `at most ${MOST_PARTS}`,
    remedy: 'Split the file, or join its recordings into one',
  });
}

/** Offset of the WAV file that follows the first one; null if none does, or if the first cannot be read. */
async function nextFile(source: Blob): Promise<number | null> {
  let dataStart: number;
  let dataEnd: number | null;
  let skippedBytes: number;
  try {
    ({ dataStart, dataEnd, skippedBytes } = await readWavHeader(source));
  } catch (thrown) {
    if (thrown instanceof VoxlaneError && thrown.code !== 'audio-decode') return null;
    throw thrown;
  }
  if (dataEnd === null) return searchFile(source, dataStart);
  return (await fileAfterChunks(source, dataEnd)) ?? (skippedBytes > 0 ? searchFile(source, dataEnd) : null);
}

async function fileAfterChunks(source: Blob, start: number): Promise<number | null> {
  let position = start;
  for (let seen = 0; seen < MOST_CHUNKS && position + 12 <= source.size; seen++) {
    // A chunk of odd size is padded, but not by every writer.
    for (const at of [position, position + 1]) if (await isWav(source.slice(at))) return at;
    position += position % 2;
    const size = (await readBytes(source, position, position + 8)).getUint32(4, true);
    position += 8 + size;
  }
  return null;
}

/** Looks at every byte: samples do not contain these eight bytes by chance. */
async function searchFile(source: Blob, start: number): Promise<number | null> {
  const reader = new ByteReader(source);
  for (let at = start; at < source.size; at += SEARCHED_BYTES) {
    const bytes = await reader.read(at, SEARCHED_BYTES + NAME_OFFSET + 4);
    for (let i = bytes.indexOf(0x57, NAME_OFFSET); i >= 0; i = bytes.indexOf(0x57, i + 1)) {
      const name = i - NAME_OFFSET;
      if (hasText(bytes, i, 'WAVE') && RIFF_NAMES.has(String.fromCharCode(...bytes.subarray(name, name + 4)))) return at + name;
    }
  }
  return null;
}
