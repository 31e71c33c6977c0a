/**
 * Encoders of MP3 put silence before and after the sound, and decoders delay it further. The first frame says by
 * how much, in a tag that LAME invented; mediabunny passes it over, and WebCodecs has no place for it.
 */
import { MP3_FRAMES } from './layout/mp3';

/** Samples that are not part of the recording. */
export interface Mp3Padding {
  readonly leading: number;
  readonly trailing: number;
  /** Samples of the recording proper; null where the tag does not count the frames. */
  readonly length: number | null;
}

/** The tag in the first frame. */
export interface Mp3Tag {
  /** Length of all frames that the tag counts, padding included; null if it does not count them. */
  readonly declaredSeconds: number | null;
  /** Null if the encoder does not write it. */
  readonly padding: Mp3Padding | null;
}

/** Delay of the decoder's filter bank, which every MP3 decoder has. */
const DECODER_DELAY = 529;
/** Encoders that fill in the delay; others leave anything there. The list is that of FFmpeg's `mp3dec.c`. */
const ENCODERS_WITH_DELAY = ['LAME', 'Lavf', 'Lavc'];
const SEARCHED_BYTES = 8192;

/** The padding that the tag of an MP3 file gives; null where there is no tag that can be relied on. */
export async function readMp3Padding(source: Blob): Promise<Mp3Padding | null> {
  return (await readMp3Tag(source))?.padding ?? null;
}

/** The tag of an MP3 file; null if there is none. */
export async function readMp3Tag(source: Blob): Promise<Mp3Tag | null> {
  const start = await skipId3(source);
  const view = new DataView(await source.slice(start, start + SEARCHED_BYTES).arrayBuffer());
  const frame = findFrame(view);
  if (frame < 0) return null;
  const isMpeg1 = (view.getUint8(frame + 1) & 0x18) === 0x18;
  const isMono = view.getUint8(frame + 3) >> 6 === 3;
  const sideInfo = isMpeg1 ? (isMono ? 17 : 32) : isMono ? 9 : 17;
  const tag = frame + 4 + sideInfo;
  if (tag + 160 > view.byteLength || !['Xing', 'Info'].includes(text(view, tag))) return null;

  const flags = view.getUint32(tag + 4);
  const frames = flags & 1 ? view.getUint32(tag + 8) : null;
  // Frame count, byte count, seek table and quality are there only where their flags are set.
  const encoder = tag + 8 + (flags & 1 ? 4 : 0) + (flags & 2 ? 4 : 0) + (flags & 4 ? 100 : 0) + (flags & 8 ? 4 : 0);
  const total = frames === null ? null : frames * (isMpeg1 ? 1152 : 576);
  const header = MP3_FRAMES.header(new Uint8Array(view.buffer), frame);
  const declaredSeconds = total === null || header === null ? null : total / header.sampleRate;
  if (!ENCODERS_WITH_DELAY.includes(text(view, encoder))) return { declaredSeconds, padding: null };
  const delays = (view.getUint16(encoder + 21) << 8) | view.getUint8(encoder + 23);
  const delay = delays >> 12;
  const trailing = delays & 0xfff;
  const length = total === null ? null : total - delay - trailing;
  const padding = { leading: delay + DECODER_DELAY, trailing, length: length !== null && length > 0 ? length : null };
  return { declaredSeconds, padding };
}

/**
 * Cuts the padding off, if the decoder left it there: WebKitGTK's `decodeAudioData` does, Chromium's and Firefox's do not.
 *
 * @param samples all that a decoder gave of the file
 * @param padding in samples of the file
 * @param ratio samples of `samples` per sample of the file
 * @returns `samples` itself, or a copy of a part of it: parts of one buffer could not be sent to a worker
 */
export function withoutMp3Padding(samples: Float32Array, padding: Mp3Padding | null, ratio: number): Float32Array {
  if (padding?.length == null) return samples;
  const start = Math.round(padding.leading * ratio);
  const end = start + Math.round(padding.length * ratio);
  // With less than that, the decoder has cut it off itself.
  return samples.length < end ? samples : samples.slice(start, end);
}

async function skipId3(source: Blob): Promise<number> {
  let start = 0;
  for (let seen = 0; seen < 16; seen++) {
    const view = new DataView(await source.slice(start, start + 10).arrayBuffer());
    if (view.byteLength < 10 || String.fromCharCode(view.getUint8(0), view.getUint8(1), view.getUint8(2)) !== 'ID3') break;
    const size = [6, 7, 8, 9].reduce((sum, at) => (sum << 7) | (view.getUint8(at) & 0x7f), 0);
    start += 10 + size;
  }
  return start;
}

/** Offset of the first header of an MPEG layer III frame. */
function findFrame(view: DataView): number {
  for (let at = 0; at + 4 <= view.byteLength; at++) {
    const [sync, version] = [view.getUint8(at), view.getUint8(at + 1)];
    if (sync === 0xff && (version & 0xe6) === 0xe2 && view.getUint8(at + 2) >> 4 !== 15) return at;
  }
  return -1;
}

function text(view: DataView, offset: number): string {
  if (offset + 24 > view.byteLength) return '';
  return String.fromCharCode(...new Uint8Array(view.buffer, view.byteOffset + offset, 4));
}
