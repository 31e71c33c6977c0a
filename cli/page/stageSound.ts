/** Decodes the audio for a single stage like a full run does. */
import { decodeAll, decoderFor, openAudio, openChannels, type OpenAudio } from '../../src/audio/decode';
import { decodeInstead } from '../../src/audio/pageDecode';

/** A segment of a recording. */
export interface StageSound {
  /** Axes (sample), mono. */
  readonly samples: Float32Array;
  /** Notes about repaired, skipped or omitted parts. */
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
  const samples = await decodeAll(audio);
  return { samples, notes: [...notes, ...audio.notes().map(({ text }) => text)] };
}

async function open(file: File, options: SegmentOptions): Promise<{ audio: OpenAudio; notes: string[] }> {
  const place = await decoderFor(file);
  const decoded = place === 'here' ? null : (await decodeInstead({ kind: 'file', blob: file }, place))?.source;
  return decoded?.kind === 'channels'
    ? { audio: openChannels(decoded.channels, decoded.sampleRate, options), notes: decoded.notes.map(({ text }) => text) }
    : { audio: await openAudio(file, options), notes: [] };
}
