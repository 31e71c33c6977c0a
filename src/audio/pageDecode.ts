import { VoxlaneError } from '../util/errors';
import { loadPart } from '../util/fetch';
import type { AudioFile, DecodedFile, DecoderPlace } from './types';
import { withoutMp3Padding } from './containers/mp3';
import { recordingNotes } from './notes';

/** A whole recording, decoded by the page. */
interface PageAudio {
  /** Axes (channel, sample). */
  readonly channels: Float32Array[];
  readonly sampleRate: number;
  /**
   * Whether the file is one undamaged recording without cuts. A browser may decode only part of any other file without an
   * error.
   */
  readonly isPlain: boolean;
}

/** The rate that Web Audio must support everywhere; also the rate of Opus. */
const USUAL_SAMPLE_RATE = 48_000;
const MAX_CONTEXT_RATE = 96_000;
const MIN_CONTEXT_RATE = 8_000;

/**
 * Decodes a file with `decodeAudioData`, for browsers and codecs without a working WebCodecs decoder. This is the
 * second choice, because it is available only on the page and holds the whole decoded recording in memory.
 *
 * @param wantedRate rate to decode at, in Hz; default: the file's own rate if the container declares it, otherwise 48
 *   kHz
 * @throws VoxlaneError `audio-empty`, `audio-unsupported`, `audio-no-samples`
 */
export async function decodeOnPage(source: Blob, wantedRate?: number): Promise<PageAudio> {
  if (source.size === 0) throw new VoxlaneError({ code: 'audio-empty', problem: 'The file has no bytes' });
  if (typeof OfflineAudioContext === 'undefined') throw unsupported('This thread has no Web Audio');
  // `decodeAudioData` converts to the context's rate; at the file's own rate it does not convert. The demuxer is
  // loaded on demand because no other code of the page needs it.
  const [{ containerInfo }, { findParts }] = await Promise.all([loadPart(() => import('./mediaInput')), loadPart(() => import('./containers/fileParts'))]);
  const info = await containerInfo(source);
  const ownRate = info.sampleRate ?? USUAL_SAMPLE_RATE;
  const sampleRate = Math.min(MAX_CONTEXT_RATE, Math.max(MIN_CONTEXT_RATE, wantedRate ?? ownRate));
  const buffer = await decodeWith(new OfflineAudioContext(1, 1, sampleRate), source);
  if (buffer.length === 0) {
    throw new VoxlaneError({ code: 'audio-no-samples', problem: 'The audio track contains no samples' });
  }
  const { parts, notes } = await findParts(source, 1);
  const [part, ...others] = parts;
  // The decoder removes no padding between parts.
  const padding = others.length === 0 ? (part?.padding ?? null) : null;
  const isOnePart = others.length === 0 && part?.segments.length === 1;
  // WebKitGTK plays only the first edit.
  const isPlain = isOnePart && notes.length === 0 && part.cutOff === undefined && !info.hasSeveralEdits;
  const channels = Array.from({ length: buffer.numberOfChannels }, (_, index) =>
    withoutMp3Padding(buffer.getChannelData(index), padding, buffer.sampleRate / ownRate),
  );
  return { channels, sampleRate: buffer.sampleRate, isPlain };
}

/**
 * Decodes a file that this library cannot decode itself, with notes. In the Node build, `nodeDecode.ts` replaces this
 * module.
 *
 * @param place result of `decoderFor`
 * @returns null if the browser cannot decode it either; `openAudio` then throws an error with the codec
 * @throws VoxlaneError `audio-empty`, `audio-no-samples`
 */
export async function decodeInstead(file: AudioFile, place: Exclude<DecoderPlace, 'here'>): Promise<DecodedFile | null> {
  if (file.kind === 'path') return null;
  try {
    const { isPlain, ...audio } = await decodeOnPage(file.blob);
    const notes = place === 'unknown' || !isPlain ? [recordingNotes.browserDecoder()] : [];
    return { source: { kind: 'channels', ...audio, notes }, release: () => undefined };
  } catch (thrown) {
    if (thrown instanceof VoxlaneError && thrown.code === 'audio-unsupported') return null;
    throw thrown;
  }
}

async function decodeWith(context: OfflineAudioContext, source: Blob): Promise<AudioBuffer> {
  const bytes = await source.arrayBuffer().catch((cause: unknown) => {
    throw unsupported('The file cannot be read into memory', cause);
  });
  return context.decodeAudioData(bytes).catch((cause: unknown) => {
    throw unsupported('The browser cannot decode the file', cause);
  });
}

function unsupported(problem: string, cause?: unknown): VoxlaneError {
  return new VoxlaneError(
    {
      code: 'audio-unsupported',
      problem,
      expected: 'an audio or video file that this browser can play',
      remedy: 'Convert the recording, for example with "ffmpeg -i in -ac 1 -ar 16000 out.wav"',
    },
    { cause },
  );
}
