/** Reads the pages of an Ogg file (RFC 3533) to find chained recordings and missing pages. */
import { hasText, littleEndian, type ByteReader } from './byteReader';

const HEADER_BYTES = 27;
const MAX_HEADER_BYTES = HEADER_BYTES + 255;
const SEARCHED_BYTES = 1 << 16;
const CONTINUED = 1;
const FIRST = 2;
const LAST = 4;
/**
 * First bytes of streams, and the number of header packets; 0 for streams without audio or with an unsupported codec.
 */
const CODECS: readonly (readonly [start: string, codec: string, headerPackets: number])[] = [
  ['OpusHead', 'Opus', 2],
  ['\u0001vorbis', 'Vorbis', 3],
  ['\u007fFLAC', 'FLAC', 0],
  ['Speex   ', 'Speex', 0],
  ['\u0080theora', 'Theora', 0],
  ['PCM     ', 'PCM', 0],
  ['CELT    ', 'CELT', 0],
];

/** The header of a page. */
interface OggPage {
  readonly start: number;
  readonly end: number;
  readonly flags: number;
  readonly serial: number;
  readonly sequence: number;
  /** Granule of the last packet that ends in the page; -1 if there is none. */
  readonly granule: number;
  readonly lacing: Uint8Array;
}

/** One stream of an {@link OggLink}. */
export interface OggStream {
  readonly serial: number;
  /** Null if it is unknown. */
  readonly codec: string | null;
  /** Samples of Opus that a decoder drops at the start; 0 for other codecs. */
  readonly preSkip: number;
  /** Samples per second of the granules; 0 if unknown. */
  readonly granuleRate: number;
  /** Pages with the header packets. */
  readonly headers: (readonly [number, number])[];
  /** The other pages, axes (segment, range, [start, end)). Data between segments is missing. */
  readonly segments: OggSegment[];
  /** Granule of the first page after the headers; 0 before it is read. */
  firstGranule: number;
  lastGranule: number;
  /** Whether pages are missing between the headers and the first page after them. */
  isStartMissing: boolean;
  hasEnd: boolean;
}

/** Consecutive pages without a hole. */
export interface OggSegment {
  readonly ranges: (readonly [number, number])[];
  /** Number of lacing values of the first page that belong to a packet whose start is missing. */
  readonly continuedLacing: number;
  /** The first page's bytes. */
  readonly firstPage: readonly [number, number];
}

/** One recording of a chained file. Its streams start together. */
export interface OggLink {
  readonly streams: OggStream[];
}

/** All chained recordings of a file. */
export interface OggLayout {
  readonly links: readonly OggLink[];
  /** Bytes that belong to no page, with the time of the first such place; null if there are none. */
  readonly skipped: { readonly bytes: number; readonly places: number; readonly atSeconds: number } | null;
}

/**
 * Reads the pages of a file to its end.
 *
 * @throws VoxlaneError `audio-decode` if the file can no longer be read
 */
export async function walkOgg(reader: ByteReader): Promise<OggLayout> {
  const walk = new OggWalk();
  const skipped = { bytes: 0, places: 0, atSeconds: 0 };
  let position = 0;
  while (position < reader.size) {
    const page = await pageAt(reader, position);
    if (!page) {
      const next = await nextPage(reader, position + 1);
      if (skipped.places === 0) skipped.atSeconds = walk.seconds;
      skipped.bytes += next - position;
      skipped.places++;
      position = next;
      continue;
    }
    if (page.flags & FIRST) walk.begin(page, (await reader.read(page.start + HEADER_BYTES + page.lacing.length, 64)).slice());
    else walk.add(page);
    position = page.end;
  }
  return { links: walk.links, skipped: skipped.places > 0 ? skipped : null };
}

class OggWalk {
  readonly links: OggLink[] = [];
  /** Streams of the last link by serial number. */
  #open = new Map<number, { readonly stream: OggStream; headerPackets: number; sequence: number; endsInPacket: boolean }>();
  #isInHeaders = false;

  /** Duration of the audio so far. */
  get seconds(): number {
    return this.links.reduce((sum, { streams }) => sum + Math.max(0, ...streams.map((stream) => durationOf(stream) ?? 0)), 0);
  }

  begin(page: OggPage, content: Uint8Array): void {
    // All streams of a link start before any of them continues.
    if (!this.#isInHeaders) {
      this.links.push({ streams: [] });
      this.#open = new Map();
    }
    this.#isInHeaders = true;
    const known = CODECS.find(([start]) => hasText(content, 0, start));
    const codec = known?.[1] ?? null;
    const stream: OggStream = {
      serial: page.serial,
      codec,
      preSkip: codec === 'Opus' ? littleEndian(content, 10, 2) : 0,
      granuleRate: codec === 'Opus' ? 48_000 : codec === 'Vorbis' ? littleEndian(content, 12, 4) : 0,
      headers: [[page.start, page.end]],
      segments: [],
      firstGranule: 0,
      lastGranule: 0,
      isStartMissing: false,
      hasEnd: (page.flags & LAST) !== 0,
    };
    this.links.at(-1)!.streams.push(stream);
    this.#open.set(page.serial, {
      stream,
      headerPackets: (known?.[2] ?? 0) - packetEnds(page.lacing),
      sequence: page.sequence,
      endsInPacket: false,
    });
  }

  add(page: OggPage): void {
    this.#isInHeaders = false;
    const state = this.#open.get(page.serial);
    // A page of a stream whose first page is missing.
    if (!state) return;
    const { stream } = state;
    const isNext = page.sequence === ((state.sequence + 1) >>> 0);
    state.sequence = page.sequence;
    if (state.headerPackets > 0) {
      state.headerPackets -= packetEnds(page.lacing);
      stream.headers.push([page.start, page.end]);
      return;
    }
    const segment = stream.segments.at(-1);
    if (segment && isNext) {
      const last = segment.ranges.at(-1)!;
      if (last[1] === page.start) segment.ranges[segment.ranges.length - 1] = [last[0], page.end];
      else segment.ranges.push([page.start, page.end]);
    } else {
      const isContinued = (page.flags & CONTINUED) !== 0;
      stream.segments.push({
        ranges: [[page.start, page.end]],
        continuedLacing: isContinued ? page.lacing.findIndex((value) => value < 255) + 1 || page.lacing.length : 0,
        firstPage: [page.start, page.end],
      });
    }
    if (stream.segments.length === 1 && stream.segments[0]!.firstPage[0] === page.start) {
      stream.firstGranule = Math.max(0, page.granule);
      stream.isStartMissing = !isNext;
    }
    if (page.granule >= 0) stream.lastGranule = page.granule;
    if (page.flags & LAST) stream.hasEnd = true;
  }
}

/** A stream that was recorded during transmission starts at any page, so all earlier pages seem to be missing. */
const LONGEST_MISSING_START_SECONDS = 60;

/**
 * Whether the recording starts with the stream's first audio, whatever its granule: the file was cut out of a longer
 * stream.
 *
 * @param isAlone whether the recording has only this stream. Among several streams, it may start later than the
 *   others.
 */
export function startsAnywhere({ granuleRate, firstGranule, isStartMissing }: OggStream, isAlone: boolean): boolean {
  return granuleRate > 0 && ((isAlone && !isStartMissing) || firstGranule / granuleRate > LONGEST_MISSING_START_SECONDS);
}

/** Duration of a stream's audio from granule 0; null if its rate is unknown. */
export function durationOf({ granuleRate, lastGranule, preSkip }: OggStream): number | null {
  return granuleRate > 0 ? Math.max(0, lastGranule - preSkip) / granuleRate : null;
}

function packetEnds(lacing: Uint8Array): number {
  return lacing.reduce((count, value) => count + (value < 255 ? 1 : 0), 0);
}

/** The complete page at this offset; null if there is none. */
async function pageAt(reader: ByteReader, start: number): Promise<OggPage | null> {
  const bytes = await reader.read(start, MAX_HEADER_BYTES);
  if (bytes.length < HEADER_BYTES || !hasText(bytes, 0, 'OggS') || bytes[4] !== 0) return null;
  const count = bytes[26]!;
  if (bytes.length < HEADER_BYTES + count) return null;
  const lacing = bytes.slice(HEADER_BYTES, HEADER_BYTES + count);
  const end = start + HEADER_BYTES + count + lacing.reduce((sum, value) => sum + value, 0);
  if (end > reader.size) return null;
  const isNone = littleEndian(bytes, 10, 4) === 0xffff_ffff && littleEndian(bytes, 6, 4) === 0xffff_ffff;
  return {
    start,
    end,
    flags: bytes[5]!,
    serial: littleEndian(bytes, 14, 4),
    sequence: littleEndian(bytes, 18, 4),
    granule: isNone ? -1 : littleEndian(bytes, 6, 6),
    lacing,
  };
}

async function nextPage(reader: ByteReader, position: number): Promise<number> {
  for (let at = position; at < reader.size; ) {
    // A copy, because the check below moves the reader's window.
    const bytes = (await reader.read(at, SEARCHED_BYTES)).slice();
    for (let i = bytes.indexOf(0x4f); i >= 0; i = bytes.indexOf(0x4f, i + 1)) {
      if (await pageAt(reader, at + i)) return at + i;
    }
    at += bytes.length;
  }
  return reader.size;
}

/**
 * A page without its first `dropped` lacing values and their bytes, so it starts with a complete packet.
 *
 * @param page the bytes of one page
 */
export function withoutLacing(page: Uint8Array, dropped: number): Uint8Array<ArrayBuffer> {
  const count = page[26]!;
  const lacing = page.subarray(HEADER_BYTES, HEADER_BYTES + count);
  const droppedBytes = lacing.subarray(0, dropped).reduce((sum, value) => sum + value, 0);
  const content = page.subarray(HEADER_BYTES + count + droppedBytes);
  const result = new Uint8Array(HEADER_BYTES + count - dropped + content.length);
  result.set(page.subarray(0, HEADER_BYTES));
  result[5]! &= ~CONTINUED;
  result[26] = count - dropped;
  result.set(lacing.subarray(dropped), HEADER_BYTES);
  result.set(content, HEADER_BYTES + count - dropped);
  setChecksum(result);
  return result;
}

function setChecksum(page: Uint8Array): void {
  page.fill(0, 22, 26);
  let crc = 0;
  for (const byte of page) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000_0000 ? (crc << 1) ^ 0x04c1_1db7 : crc << 1;
  }
  new DataView(page.buffer, page.byteOffset).setUint32(22, crc >>> 0, true);
}
