/**
 * Reads the packets of an MPEG transport stream (ISO/IEC 13818-1) and omits damaged ones, because a demuxer stops at
 * them.
 */
import { ADTS_FRAMES } from './frames';
import { bigEndian, type ByteReader } from './byteReader';
import { MP3_FRAMES } from './mp3';

const SYNC = 0x47;
/**
 * Packet sizes, and the number of bytes before each packet: plain, with a time code (M2TS), with error correction.
 */
const FORMS: readonly (readonly [stride: number, before: number])[] = [[188, 0], [192, 4], [204, 0]];
const PACKET_BYTES = 188;
const PACKETS_AT_ONCE = 1024;
const HEADER_BYTES = 4;
/** Any byte can look like a sync byte, but this number of sync bytes in a row does not occur by chance. */
const PACKETS_TO_SYNC = 8;
const SEARCHED_BYTES = 1 << 16;
const PTS_PER_SECOND = 90_000;
/** No frame is shorter. Smaller gaps between times are rounding errors or clock adjustments. */
const MIN_HOLE_SECONDS = 0.02;
/** Start code, stream id, length, flags, and a presentation time. */
const PES_HEADER_BYTES = 14;
/** Audio PES are shorter, because their length has 16 bits. */
const MAX_PES_PACKETS = 400;

/** A range of bytes, [start, end). */
type Range = readonly [start: number, end: number];

/** The contents of a file without its damaged parts. */
export interface TransportLayout {
  /** Bytes to keep, in order. */
  readonly ranges: readonly Range[];
  /** Bytes that belong to no packet. */
  readonly skippedBytes: number;
  /** Number of places with such bytes. */
  readonly skippedPlaces: number;
  /** Time of the first such place in the selected track, in seconds. */
  readonly skippedAtSeconds: number;
  /** Missing or damaged segments of the selected track, in seconds from its start. */
  readonly holes: readonly { readonly atSeconds: number; readonly lengthSeconds: number }[];
  /** Whether the file ends within a packet, or within audio of the selected track. */
  readonly isCutOff: boolean;
}

/**
 * Reads a file to its end.
 *
 * @param track number of the selected audio track, from 1
 * @returns null if the file is not a transport stream
 * @throws VoxlaneError `audio-decode` if the file can no longer be read
 */
export async function walkTransportStream(reader: ByteReader, track: number): Promise<TransportLayout | null> {
  const found = await findForm(reader);
  if (!found) return null;
  const { start, stride, before } = found;
  const walk = new TransportWalk();
  let skippedBytes = 0;
  let skippedPlaces = 0;
  let skippedAt: number[] | null = null;
  const skip = (bytes: number): void => {
    if (bytes === 0) return;
    skippedBytes += bytes;
    skippedPlaces++;
    skippedAt ??= walk.places();
  };
  skip(start);
  let position = start;
  while (position + before + PACKET_BYTES <= reader.size) {
    const bytes = await reader.read(position + before, PACKETS_AT_ONCE * stride);
    let at = 0;
    for (; at + PACKET_BYTES <= bytes.length && bytes[at] === SYNC; at += stride) {
      const start = position + at;
      walk.add(bytes.subarray(at, at + PACKET_BYTES), [start, Math.min(start + stride, reader.size)]);
    }
    position = Math.min(position + at, reader.size);
    if (at + PACKET_BYTES > bytes.length) continue;
    const next = await resync(reader, position + 1, stride, before);
    skip(next - position);
    position = next;
  }
  const { ranges, holes, isCutOff } = walk.close(track);
  return {
    ranges, holes, skippedBytes, skippedPlaces,
    skippedAtSeconds: (skippedAt as number[] | null)?.[track - 1] ?? 0,
    isCutOff: isCutOff || position < reader.size,
  };
}

async function findForm(reader: ByteReader): Promise<{ start: number; stride: number; before: number } | null> {
  for (const [stride, before] of FORMS) {
    if (await isInSync(reader, 0, stride, before)) return { start: 0, stride, before };
  }
  for (const [stride, before] of FORMS) {
    const start = await resync(reader, 1, stride, before, Math.min(SEARCHED_BYTES, reader.size));
    if (start < Math.min(SEARCHED_BYTES, reader.size)) return { start, stride, before };
  }
  return null;
}

/** Whether consecutive packets start here. */
async function isInSync(reader: ByteReader, start: number, stride: number, before: number): Promise<boolean> {
  const bytes = await reader.read(start, PACKETS_TO_SYNC * stride);
  const count = Math.floor(bytes.length / stride);
  if (count < Math.min(3, PACKETS_TO_SYNC)) return false;
  for (let i = 0; i < count; i++) if (bytes[i * stride + before] !== SYNC) return false;
  return true;
}

async function resync(reader: ByteReader, position: number, stride: number, before: number, end = reader.size): Promise<number> {
  for (let at = position; at < end; ) {
    // A copy, because the checks below move the reader's window.
    const bytes = (await reader.read(at + before, Math.min(SEARCHED_BYTES, end - at))).slice();
    if (bytes.length === 0) break;
    for (let i = bytes.indexOf(SYNC); i >= 0; i = bytes.indexOf(SYNC, i + 1)) {
      if (await isInSync(reader, at + i, stride, before)) return at + i;
    }
    at += bytes.length;
  }
  return end;
}

/** A packet of the elementary stream: one or more frames with one time. */
interface Pes {
  readonly packets: Range[];
  /** Axes (packet, byte): the content after the PES header. */
  readonly content: Uint8Array[];
  /** In units of 1/90,000 s; null if it has none. */
  readonly time: number | null;
  /** Number of bytes still expected; null if the header does not declare the length. */
  missingBytes: number | null;
  isBroken: boolean;
}

interface Stream {
  pes: Pes | null;
  counter: number | null;
  firstTime: number | null;
  lastTime: number | null;
  /** Time after the last valid PES; null if it is unknown. */
  endTime: number | null;
  /** Time of the first dropped PES if no valid one followed it. */
  holeStart: number | null;
  readonly holes: { atSeconds: number; lengthSeconds: number }[];
}

class TransportWalk {
  readonly #audio = new Map<number, Stream>();
  readonly #packets: Range[] = [];
  readonly #dropped: Range[] = [];

  add(packet: Uint8Array, range: Range): void {
    const isError = (packet[1]! & 0x80) !== 0;
    const isStart = (packet[1]! & 0x40) !== 0;
    const pid = ((packet[1]! & 0x1f) << 8) | packet[2]!;
    const hasPayload = (packet[3]! & 0x10) !== 0;
    const payload = packet.subarray((packet[3]! & 0x20) !== 0 ? HEADER_BYTES + 1 + packet[4]! : HEADER_BYTES);
    this.#keep(range);
    if (hasPayload && isStart && isAudio(payload) && !this.#audio.has(pid)) {
      this.#audio.set(pid, { pes: null, counter: null, firstTime: null, lastTime: null, endTime: null, holeStart: null, holes: [] });
    }
    const stream = this.#audio.get(pid);
    if (!stream || !hasPayload) return;
    const counter = packet[3]! & 0x0f;
    const isNext = stream.counter === null || counter === ((stream.counter + 1) & 0x0f);
    const isRepeated = counter === stream.counter;
    stream.counter = counter;
    if (isRepeated && !isStart) return;
    if (stream.pes && ((!isNext && !isRepeated) || isError)) stream.pes.isBroken = true;
    if (isStart) {
      this.#endPes(stream);
      stream.pes = pesOf(payload, range);
    } else if (stream.pes) {
      addPacket(stream.pes, payload, range);
    }
  }

  /** Time of each audio stream so far, in seconds. */
  places(): number[] {
    return this.#inOrder().map(({ firstTime, lastTime }) => ((lastTime ?? 0) - (firstTime ?? 0)) / PTS_PER_SECOND);
  }

  close(track: number): { ranges: Range[]; holes: Stream['holes']; isCutOff: boolean } {
    for (const stream of this.#audio.values()) this.#endPes(stream);
    const wanted = this.#inOrder()[track - 1];
    return { ranges: this.#kept(), holes: wanted?.holes ?? [], isCutOff: wanted?.holeStart != null };
  }

  /** Programs number their streams in ascending order. */
  #inOrder(): Stream[] {
    return [...this.#audio].sort(([a], [b]) => a - b).map(([, stream]) => stream);
  }

  #keep([start, end]: Range): void {
    const last = this.#packets.at(-1);
    if (last?.[1] === start) this.#packets[this.#packets.length - 1] = [last[0], end];
    else this.#packets.push([start, end]);
  }

  #endPes(stream: Stream): void {
    const { pes } = stream;
    stream.pes = null;
    if (!pes) return;
    const isBroken = pes.isBroken || (pes.missingBytes ?? 0) > 0;
    if (isBroken) {
      for (const packet of pes.packets) this.#dropped.push(packet);
      stream.holeStart ??= pes.time ?? stream.lastTime;
    } else if (pes.time !== null) {
      // The packet counter has four bits, so only the times reveal 16 missing packets.
      const isLate = stream.endTime !== null && pes.time - stream.endTime >= MIN_HOLE_SECONDS * PTS_PER_SECOND;
      const holeStart = stream.holeStart ?? (isLate ? stream.endTime : null);
      if (holeStart !== null && pes.time > holeStart) {
        const origin = stream.firstTime ?? holeStart;
        stream.holes.push({ atSeconds: (holeStart - origin) / PTS_PER_SECOND, lengthSeconds: (pes.time - holeStart) / PTS_PER_SECOND });
      }
      const seconds = secondsOf(pes);
      stream.holeStart = null;
      stream.firstTime ??= pes.time;
      stream.lastTime = pes.time;
      stream.endTime = seconds === null ? null : pes.time + seconds * PTS_PER_SECOND;
    }
  }

  #kept(): Range[] {
    const dropped = this.#dropped.sort(([a], [b]) => a - b);
    const kept: Range[] = [];
    let next = 0;
    for (const [start, end] of this.#packets) {
      let from = start;
      for (; next < dropped.length && dropped[next]![0] < end; next++) {
        if (dropped[next]![0] > from) kept.push([from, dropped[next]![0]]);
        from = dropped[next]![1];
      }
      if (from < end) kept.push([from, end]);
    }
    return kept;
  }
}

/** Whether an audio PES starts here: MPEG audio and AAC, or a private stream (AC-3, DTS, Opus). */
function isAudio(payload: Uint8Array): boolean {
  if (bigEndian(payload, 0, 3) !== 1) return false;
  const id = payload[3]!;
  return (id >= 0xc0 && id <= 0xdf) || id === 0xbd || id === 0xfd;
}

function pesOf(payload: Uint8Array, range: Range): Pes {
  const length = bigEndian(payload, 4, 2);
  const hasTime = payload.length >= PES_HEADER_BYTES && (payload[7]! & 0x80) !== 0;
  const time = hasTime
    ? ((payload[9]! >> 1) & 7) * 2 ** 30 + (bigEndian(payload, 10, 2) >> 1) * 2 ** 15 + (bigEndian(payload, 12, 2) >> 1)
    : null;
  const missingBytes = length === 0 ? null : Math.max(0, length + 6 - payload.length);
  const content = payload.slice(9 + (payload[8] ?? 0));
  return { packets: [range], content: [content], time, missingBytes, isBroken: !isAudio(payload) };
}

function addPacket(pes: Pes, payload: Uint8Array, range: Range): void {
  pes.packets.push(range);
  // A copy, because the next packets move the reader's window.
  if (pes.packets.length <= MAX_PES_PACKETS) pes.content.push(payload.slice());
  if (pes.missingBytes !== null) pes.missingBytes = Math.max(0, pes.missingBytes - payload.length);
}

/** Duration of the audio; null if it does not consist of complete frames of AAC, MP3 or MP2. */
function secondsOf({ content, packets }: Pes): number | null {
  if (content.length < packets.length) return null;
  const bytes = new Uint8Array(content.reduce((sum, { length }) => sum + length, 0));
  let place = 0;
  for (const piece of content) {
    bytes.set(piece, place);
    place += piece.length;
  }
  for (const kind of [ADTS_FRAMES, MP3_FRAMES]) {
    let [at, seconds] = [0, 0];
    for (let header = kind.header(bytes, 0); header; header = kind.header(bytes, at)) {
      at += header.bytes;
      seconds += header.samples / header.sampleRate;
    }
    if (at === bytes.length && at > 0) return seconds;
  }
  return null;
}
