import {
  ADTS,
  AudioSampleSink,
  EncodedPacketSink,
  FLAC,
  Input,
  MATROSKA,
  MP3,
  MP4,
  MPEG_TS,
  OGG,
  PCM_AUDIO_CODECS,
  QTFF,
  WEBM,
  type AudioSample,
  type InputAudioTrack,
} from 'mediabunny';
import { messageOf, VoxlaneError } from '../util/errors';
import { decodeFailure, mixToMono, type SoundBlock } from './blocks';
import { decoderTrust } from './decoderTrust';
import { GapClock } from './gaps';
import { guardedSource } from './guardedSource';
import { readMp3Padding, type Mp3Padding } from './mp3Gapless';
import { probeDecoder } from './probeDecoder';
import { checkChannels, checkSampleRate } from './wavHeader';

/**
 * All of mediabunny's formats but WAV, which is read by `wav.ts`, and HLS: a playlist names files elsewhere, and
 * nothing here may go to the network.
 */
const FORMATS = [MP4, QTFF, MATROSKA, WEBM, OGG, MP3, FLAC, ADTS, MPEG_TS];
/** Codecs need packets from before the first sample that is wanted: AAC and MP3 some frames. */
const PREROLL_SECONDS = 1;
/**
 * Where decoding may start in mid-file without a shift of the sound. Matroska rounds timestamps to the
 * millisecond, and a decoder of Opus that starts anew drops the 6.5 ms of the encoder's delay once more: these
 * are decoded from their start, and what comes before the stretch is thrown away.
 */
const EXACT_SEEK_CONTAINERS = new Set([MP4.name, QTFF.name, MP3.name, FLAC.name, ADTS.name, MPEG_TS.name]);
const INEXACT_SEEK_CODECS = new Set(['opus', 'vorbis']);
/** A file whose last samples are less than this short of its promise is not called truncated. */
const TRUNCATION_TOLERANCE_SECONDS = 0.25;

/** A container with an audio track that can be decoded here. */
export interface OpenTrack {
  readonly container: string;
  readonly codec: string;
  /** Of the decoded sound. It can differ from what the container says, with HE-AAC and with Opus. */
  readonly sampleRate: number;
  readonly channels: number;
  /** Length of the recording; null where the container does not say. */
  readonly durationSeconds: number | null;
  /** Place on the time axis after the last sample; infinite where the container gives no exact end. */
  readonly endFrame: number;
  /**
   * Decodes from `fromFrame` or somewhat before it.
   *
   * @throws VoxlaneError `audio-decode`, `audio-truncated`, `audio-channels`
   */
  blocks(fromFrame: number, toFrame: number): AsyncGenerator<SoundBlock, void, undefined>;
  close(): void;
}

/** Whether the container can be read here and holds sound, but this thread has no decoder for it that works. */
export async function lacksDecoder(source: Blob): Promise<boolean> {
  const input = openInput(source);
  try {
    return !(await hasDecoder(await findTrack(input)));
  } catch {
    // No container that can be read: `openTrack` says so with a reason.
    return false;
  } finally {
    input.dispose();
  }
}

/** Whether this thread has a decoder for the track. If the browser's claim is not verified, some packets are decoded first. */
async function hasDecoder(track: InputAudioTrack): Promise<boolean> {
  if (!(await track.canDecode())) return false;
  const codec = await track.getCodec();
  // mediabunny reads PCM itself, without WebCodecs.
  if (PCM_AUDIO_CODECS.some((name) => name === codec)) return true;
  const trust = decoderTrust(navigator.userAgent, await track.getNumberOfChannels());
  if (trust !== 'probe') return trust === 'verified';
  const config = await track.getDecoderConfig();
  if (!config) return false;
  const key = `${config.codec} ${config.sampleRate} ${config.numberOfChannels}`;
  if (!probedDecoders.has(key) && (await probeDecoder(config, encodedChunks(track)))) probedDecoders.add(key);
  return probedDecoders.has(key);
}

/** Decoders that have given sound in this thread. Each file is asked about twice: before and when it is opened. */
const probedDecoders = new Set<string>();

async function* encodedChunks(track: InputAudioTrack): AsyncGenerator<EncodedAudioChunk, void, undefined> {
  for await (const packet of new EncodedPacketSink(track).packets()) yield packet.toEncodedAudioChunk();
}

/** Sample rate that the container gives for its sound; null where it cannot be told. Decodes nothing. */
export async function containerSampleRate(source: Blob): Promise<number | null> {
  const input = openInput(source);
  try {
    return await (await findTrack(input)).getSampleRate();
  } catch {
    return null;
  } finally {
    input.dispose();
  }
}

/** The padding of an MP3 file; null for other files and for an MP3 file without a tag. */
export async function mp3Padding(source: Blob): Promise<Mp3Padding | null> {
  const input = openInput(source);
  try {
    return (await input.getFormat()).name === MP3.name ? await readMp3Padding(source) : null;
  } catch {
    return null;
  } finally {
    input.dispose();
  }
}

/**
 * Opens a file with mediabunny: MP3, AAC, Opus, Vorbis, FLAC or PCM in MP4, QuickTime, WebM, Matroska, Ogg,
 * ADTS, MPEG-TS or bare.
 *
 * @throws VoxlaneError `audio-unsupported`, `audio-channels`, `audio-no-samples`, `audio-truncated`
 */
export async function openTrack(source: Blob): Promise<OpenTrack> {
  const input = openInput(source);
  try {
    return await describeTrack(source, input);
  } catch (cause) {
    input.dispose();
    if (cause instanceof VoxlaneError) throw cause;
    throw unsupported(`The file cannot be read: ${messageOf(cause)}`, cause);
  }
}

function openInput(source: Blob): Input {
  return new Input({ source: guardedSource(source), formats: FORMATS });
}

async function findTrack(input: Input): Promise<InputAudioTrack> {
  if (!(await input.canRead())) throw unsupported('The file is not of a kind that can be read');
  const track = await input.getPrimaryAudioTrack();
  if (!track) throw unsupported('The file has no audio track');
  return track;
}

async function describeTrack(source: Blob, input: Input): Promise<OpenTrack> {
  const track = await findTrack(input);
  checkChannels(await track.getNumberOfChannels());
  const codec = (await track.getCodec()) ?? 'unknown';
  if (!(await hasDecoder(track))) throw unsupported(`This browser has no decoder for ${codec} that works in a worker`);
  const container = (await input.getFormat()).name;
  const padding = container === MP3.name ? await readMp3Padding(source) : null;
  // The clock of a transport stream starts anywhere.
  const originSeconds = container === MPEG_TS.name ? await input.getFirstTimestamp() : 0;
  const first = await firstSample(track, codec);
  const { sampleRate, numberOfChannels: channels } = first;
  first.close();
  checkSampleRate(sampleRate);
  checkChannels(channels);

  const offsetSeconds = originSeconds + (padding ? padding.leading / sampleRate : 0);
  const promise = await promisedEnd(track, container);
  const endFrame = padding?.length ?? (promise === null ? Infinity : Math.round(promise * sampleRate));
  const canSeek = EXACT_SEEK_CONTAINERS.has(container) && !INEXACT_SEEK_CODECS.has(codec);
  const estimate = promise ?? (await estimateEnd(track));
  return {
    container,
    codec,
    sampleRate,
    channels,
    durationSeconds: Number.isFinite(endFrame)
      ? endFrame / sampleRate
      : estimate && Math.max(0, estimate - offsetSeconds),
    endFrame,
    async *blocks(fromFrame, toFrame) {
      const early = canSeek ? fromFrame / sampleRate + offsetSeconds - PREROLL_SECONDS : 0;
      const from = early > 0 ? early : -Infinity;
      const to = Math.min(toFrame, endFrame) / sampleRate + offsetSeconds;
      const reached = yield* decode(track, { from, to, offsetSeconds, sampleRate, codec });
      if (promise !== null) checkReached(reached, Math.min(toFrame, endFrame), sampleRate);
    },
    close() {
      input.dispose();
    },
  };
}

interface DecodeRange {
  readonly from: number;
  readonly to: number;
  readonly offsetSeconds: number;
  readonly sampleRate: number;
  readonly codec: string;
}

/** @returns place on the time axis after the last sample that was decoded */
async function* decode(
  track: InputAudioTrack,
  { from, to, offsetSeconds, sampleRate, codec }: DecodeRange,
): AsyncGenerator<SoundBlock, number, undefined> {
  let reached = 0;
  const packets = new EncodedPacketSink(track);
  const first = from > -Infinity ? await packets.getPacket(from, { metadataOnly: true }) : null;
  const clock = new GapClock(packets.packets(first ?? undefined, undefined, { metadataOnly: true }), codec);
  try {
    // Behind a gap the decoder's clock is early. So it is given no end, and for its start the packet's own time.
    for await (const sample of new AudioSampleSink(track).samples(first?.timestamp ?? -Infinity)) {
      try {
        if (sample.sampleRate !== sampleRate) {
          throw new Error(`the sample rate changes from ${sampleRate} to ${sample.sampleRate} Hz`);
        }
        const time = await clock.place(sample.timestamp, sample.duration);
        if (time >= to) return reached;
        const startFrame = Math.round((time - offsetSeconds) * sampleRate);
        reached = startFrame + sample.numberOfFrames;
        yield { startFrame, samples: mixToMono(planes(sample)) };
      } finally {
        // The decoder has few buffers; one that is not given back stops it.
        sample.close();
      }
    }
  } catch (cause) {
    throw decodeFailure(reached, sampleRate, cause);
  } finally {
    await clock.close();
  }
  return reached;
}

function planes(sample: AudioSample): Float32Array[] {
  return Array.from({ length: sample.numberOfChannels }, (_, planeIndex) => {
    const plane = new Float32Array(sample.numberOfFrames);
    sample.copyTo(plane, { planeIndex, format: 'f32-planar' });
    return plane;
  });
}

async function firstSample(track: InputAudioTrack, codec: string): Promise<AudioSample> {
  const samples = new AudioSampleSink(track).samples();
  try {
    const { value } = await samples.next();
    if (value) return value;
  } catch (cause) {
    // Some containers are recognised by a few bytes; where not even the start decodes, it was no audio.
    throw unsupported(`The file looks like ${codec} but cannot be decoded: ${messageOf(cause)}`, cause);
  } finally {
    await samples.return();
  }
  throw new VoxlaneError({ code: 'audio-no-samples', problem: 'The audio track holds no samples' });
}

/**
 * Where the sound ends by the container's own index, for those that have an exact one.
 *
 * @throws VoxlaneError `audio-truncated` where the last packet of the index is not in the file any more
 */
async function promisedEnd(track: InputAudioTrack, container: string): Promise<number | null> {
  if (container === FLAC.name) return lengthFromHeader(track);
  // mediabunny fails on an Ogg file whose last page is cut; what is there can be decoded all the same.
  if (container === OGG.name) return track.computeDuration().catch(() => null);
  if (container !== MP4.name && container !== QTFF.name) return null;
  const end = await track.computeDuration({ metadataOnly: true });
  // An empty packet of the index's end and a throw both mean that its bytes are missing.
  const last = await new EncodedPacketSink(track).getPacket(Infinity).catch(() => null);
  if (!last) throw truncated(`The file's index promises ${end.toFixed(3)} s of sound, but its end is missing`, null);
  return end;
}

/** From the header, or where it says nothing (ADTS, MPEG-TS, a live WebM), from the packets; null if neither. */
async function estimateEnd(track: InputAudioTrack): Promise<number | null> {
  return (await lengthFromHeader(track)) ?? track.computeDuration({ metadataOnly: true }).catch(() => null);
}

/** Null where the header leaves it open, also by a 0. */
async function lengthFromHeader(track: InputAudioTrack): Promise<number | null> {
  const seconds = await track.getDurationFromMetadata();
  return seconds === 0 ? null : seconds;
}

function checkReached(reached: number, promised: number, sampleRate: number): void {
  if (!Number.isFinite(promised) || promised - reached <= TRUNCATION_TOLERANCE_SECONDS * sampleRate) return;
  const held = reached / sampleRate;
  throw truncated(
    `The file promises sound up to ${(promised / sampleRate).toFixed(3)} s but it ends at ${held.toFixed(3)} s`,
    held,
  );
}

/** @param heldSeconds what can be analysed all the same; null where this is not known */
export function truncated(problem: string, heldSeconds: number | null): VoxlaneError {
  const stretch =
    heldSeconds === null
      ? 'repair it with "ffmpeg -i in -c copy out"'
      : `set durationSeconds so that the stretch ends by ${(Math.floor(heldSeconds * 1000) / 1000).toFixed(3)} s`;
  return new VoxlaneError({
    code: 'audio-truncated',
    problem,
    remedy: `Copy the whole file again, or ${stretch} to analyse the part that is there`,
  });
}

function unsupported(problem: string, cause?: unknown): VoxlaneError {
  return new VoxlaneError(
    {
      code: 'audio-unsupported',
      problem,
      expected: 'WAV, MP3, AAC, Opus, Vorbis or FLAC, alone or as the sound of an MP4, WebM or Matroska video',
      remedy: 'Convert the recording, with "ffmpeg -i in -ac 1 -ar 16000 out.wav" for example',
    },
    { cause },
  );
}
