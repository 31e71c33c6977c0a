/** Decodes the sound for a single stage in the same way as for a run. */
import { decoderFor, openAudio, openChannels, type OpenAudio } from '../../src/audio/decode';
import { decodeInstead } from '../../src/audio/pageDecode';
import { concatenate } from '../../src/util/values';

/** A segment of a recording. */
export interface StageSound {
  /** Axes (sample), mono. */
  readonly samples: Float32Array;
  /** What was repaired, skipped or left out. */
  readonly notes: readonly string[];
}

interface SegmentOptions {
  readonly sampleRate: number;
  readonly startSeconds: number;
  readonly durationSeconds?: number;
}

/** @throws VoxlaneError `audio-*`, `options` */
export async function stageSound(file: File, options: SegmentOptions): Promise<StageSound> {
  const { audio, notes } = await open(file, options);
  try {
    const pieces: Float32Array[] = [];
    // Copies, because a decoder may use its buffer again.
    for await (const piece of audio.pieces()) pieces.push(piece.slice());
    return { samples: concatenate(pieces), notes: [...notes, ...audio.notes().map(({ text }) => text)] };
  } finally {
    audio.close();
  }
}

async function open(file: File, options: SegmentOptions): Promise<{ audio: OpenAudio; notes: string[] }> {
  const place = await decoderFor(file);
  const decoded = place === 'here' ? null : await decodeInstead(file, place);
  return decoded
    ? { audio: openChannels(decoded.channels, decoded.sampleRate, options), notes: decoded.notes.map(({ text }) => text) }
    : { audio: await openAudio(file, options), notes: [] };
}
