/** Reads the encoder's delay that a Matroska file gives for a track (RFC 9559, CodecDelay). */
import { bigEndian, type ByteReader } from './byteReader';
import { elementAt, EBML, SEGMENT, CLUSTER, TRACKS, type Element } from './matroska';

const TRACK_ENTRY = 0xae;
const TRACK_NUMBER = 0xd7;
const CODEC_DELAY = 0x56aa;
/** Limits the work on a damaged file. */
const MOST_ELEMENTS = 10_000;
const NANOSECONDS = 1e9;
/** No encoder needs longer; a larger value is damaged. */
const MOST_DELAY_SECONDS = 1;

/**
 * Length of the encoder's delay before the recording, in seconds.
 *
 * @param trackNumber as the file has it
 * @returns 0 if the file gives no delay
 * @throws VoxlaneError `audio-decode` if the file can no longer be read
 */
export async function readCodecDelay(reader: ByteReader, trackNumber: number): Promise<number> {
  const tracks = await findTracks(reader);
  if (!tracks) return 0;
  for (const entry of await childrenOf(reader, tracks)) {
    if (entry.id !== TRACK_ENTRY) continue;
    const fields = await childrenOf(reader, entry);
    if ((await numberOf(reader, fields, TRACK_NUMBER)) !== trackNumber) continue;
    const seconds = (await numberOf(reader, fields, CODEC_DELAY)) / NANOSECONDS;
    return seconds <= MOST_DELAY_SECONDS ? seconds : 0;
  }
  return 0;
}

async function findTracks(reader: ByteReader): Promise<Element | null> {
  let position = 0;
  for (let seen = 0; seen < MOST_ELEMENTS && position < reader.size; seen++) {
    const element = await elementAt(reader, position);
    if (!element || element.id === CLUSTER || (element.id === EBML && position > 0)) return null;
    if (element.id === TRACKS) return element;
    if (element.id !== SEGMENT && element.end === Infinity) return null;
    position = element.id === SEGMENT ? element.content : element.end;
  }
  return null;
}

async function childrenOf(reader: ByteReader, { content, end }: Element): Promise<Element[]> {
  const children: Element[] = [];
  for (let position = content; position < Math.min(end, reader.size) && children.length < MOST_ELEMENTS; ) {
    const child = await elementAt(reader, position);
    if (!child || child.end > end) break;
    children.push(child);
    position = child.end;
  }
  return children;
}

/** Value of an integer field; 0 if it is missing or longer than 8 bytes. */
async function numberOf(reader: ByteReader, fields: readonly Element[], id: number): Promise<number> {
  const field = fields.find((one) => one.id === id);
  const length = field ? field.end - field.content : 0;
  return field && length <= 8 ? bigEndian(await reader.read(field.content, length), 0, length) : 0;
}
