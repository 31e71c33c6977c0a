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
import { VoxlaneError } from '../util/errors';
import type { PlanarBlock } from './blocks';
import { codecName, fileKindName, isProgramStream } from './codecNames';
import { cutBlock } from './cutBlock';
import { decoderTrust } from './decoderTrust';
import { decodeTrack } from './decodeTrack';
import { placeEdits, type PlacedStretch } from './editTimeline';
import { DamagedStructure, guardedSource } from './guardedSource';
import { ByteReader } from './layout/byteReader';
import { readCodecDelay } from './layout/codecDelay';
import { readFlacEnd, type FlacEnd } from './layout/flacEnd';
import { lacksIndex, readEdits } from './layout/mp4';
import type { Mp3Padding } from './mp3Gapless';
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
/** Decoders of other codecs drop the encoder's delay themselves, or have none. */
const DELAYED_CODECS = new Set(['aac', 'mp3']);
/** A file whose last samples are less than this short of its promise is not called truncated. */
const TRUNCATION_TOLERANCE_SECONDS = 0.25;

/** One audio track of a file. */
export interface AudioTrack {
  /** From 1, in the order of the file. */
  readonly number: number;
  /** mediabunny's name of the codec, or the container's if mediabunny does not support it. */
  readonly codec: string;
  /** According to the container, in Hz. */
  readonly sampleRate: number;
  /** According to the container. */
  readonly channels: number;
  /** ISO 639-2 code; null if the file gives none. */
  readonly language: string | null;
  /** Title of the track; null if the file gives none. */
  readonly name: string | null;
  /** Whether this track is read. */
  readonly isRead: boolean;
}

/** Facts about a file that its container does not give. */
export interface TrackOptions {
  /** Number of the audio track, from 1. Undefined: the track that the container marks, or the first. */
  readonly track: number | undefined;
  /** Of an MP3 file. */
  readonly padding: Mp3Padding | null;
  /** Name of the codec if no demuxer here supports it. */
  readonly unreadableCodec?: string | null;
  /** Whether the recording starts with the first sound, whatever its time on the container's clock. */
  readonly startsAnywhere?: boolean | undefined;
  /** Time on the container's clock at which the recording starts, if it is known. */
  readonly originSeconds?: number;
}

/** A container with an audio track that can be decoded here. */
export interface OpenTrack {
  readonly container: string;
  readonly codec: string;
  /** Of the decoded sound. It can differ from what the container says, with HE-AAC and with Opus. */
  readonly sampleRate: number;
  readonly channels: number;
  /** Time on the container's clock at which the recording starts. */
  readonly originSeconds: number;
  /** Time of the first sound on the clock of an Ogg file; 0 for others. */
  readonly firstSeconds: number;
  /** Length of the recording; null where the container does not say. */
  readonly durationSeconds: number | null;
  /** Place on the time axis after the last sample; infinite where the container gives no exact end. */
  readonly endFrame: number;
  /** All audio tracks of the file, in its order. */
  readonly tracks: readonly AudioTrack[];
  /**
   * Decodes from `fromFrame` or somewhat before it.
   *
   * @throws VoxlaneError `audio-decode`, `audio-truncated`, `audio-channels`
   */
  blocks(fromFrame: number, toFrame: number): AsyncGenerator<PlanarBlock, void, undefined>;
  close(): void;
}

/**
 * Where a file can be decoded:
 *
 * - `here`: in this thread
 * - `page`: perhaps on the page, because this thread has no decoder for the codec
 * - `unknown`: perhaps on the page, because no demuxer here recognizes the file
 */
export type DecoderPlace = 'here' | 'page' | 'unknown';

/** Where to decode a file other than WAV. */
export async function decoderPlace(source: Blob, track: number | undefined): Promise<DecoderPlace> {
  if (await isProgramStream(source)) return 'here';
  const input = openInput(source);
  try {
    const found = await findTrack(input, track);
    if ((await found.getCodec()) === null) return 'unknown';
    return (await hasDecoder(found)) ? 'here' : 'page';
  } catch {
    return 'unknown';
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
    return await (await findTrack(input, undefined)).getSampleRate();
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
 * @throws VoxlaneError `audio-unsupported`, `audio-channels`, `audio-no-samples`, `audio-truncated`, `options` for a track
 *   that the file does not have
 */
export async function openTrack(source: Blob, options: TrackOptions = { track: undefined, padding: null }): Promise<OpenTrack> {
  const input = openInput(source);
  try {
    if ((await isProgramStream(source)) || !(await input.canRead())) throw await unreadable(source);
    if (isMp4((await input.getFormat()).name) && (await lacksIndex(new ByteReader(source)))) throw withoutIndex();
    if (options.unreadableCodec != null) throw noDecoder(options.unreadableCodec);
    return await describeTrack(source, input, options);
  } catch (cause) {
    input.dispose();
    if (cause instanceof VoxlaneError) throw cause;
    const where = cause instanceof DamagedStructure ? `: its structure is damaged around byte ${cause.byte}` : '';
    throw unsupported(`The file cannot be read${where}`, cause);
  }
}

function openInput(source: Blob): Input {
  return new Input({ source: guardedSource(source), formats: FORMATS });
}

const isMatroska = (container: string): boolean => container === MATROSKA.name || container === WEBM.name;
const isMp4 = (container: string): boolean => container === MP4.name || container === QTFF.name;

function withoutIndex(): VoxlaneError {
  return new VoxlaneError({
    code: 'audio-truncated',
    problem: 'The MP4 file has no index (its "moov" box), without which its sound cannot be found. The recorder did not finish the file, or a part of it is missing',
    remedy: 'Copy the whole file again, or restore the index with a program that repairs MP4 files, such as untrunc',
  });
}

async function unreadable(source: Blob): Promise<VoxlaneError> {
  const kind = await fileKindName(source);
  return unsupported(kind === null ? 'The file is not of a kind that can be read' : `The file is ${kind}, which cannot be read`);
}

/** @throws VoxlaneError `audio-unsupported`, `options` */
async function findTrack(input: Input, number: number | undefined): Promise<InputAudioTrack> {
  if (!(await input.canRead())) throw unsupported('The file is not of a kind that can be read');
  const primary = await input.getPrimaryAudioTrack();
  if (!primary) throw unsupported('The file has no audio track');
  if (number === undefined) return primary;
  const tracks = await input.getAudioTracks();
  const track = tracks[number - 1];
  if (track) return track;
  throw new VoxlaneError({
    code: 'options',
    problem: `The option track is ${number}, but the file has ${tracks.length} audio track${tracks.length === 1 ? '' : 's'}`,
    expected: tracks.length === 1 ? '1, or no track' : `a number from 1 to ${tracks.length}`,
    remedy: 'Change the option and run again',
  });
}

async function listTracks(input: Input, read: InputAudioTrack): Promise<AudioTrack[]> {
  const tracks = await input.getAudioTracks();
  return Promise.all(
    tracks.map(async (track, index) => {
      const language = await track.getLanguageCode();
      return {
        number: index + 1,
        codec: (await track.getCodec()) ?? codecName(null, await track.getInternalCodecId()),
        sampleRate: await track.getSampleRate(),
        channels: await track.getNumberOfChannels(),
        language: language === 'und' ? null : language,
        name: await track.getName(),
        isRead: track.id === read.id,
      };
    }),
  );
}

async function describeTrack(source: Blob, input: Input, { track: number, padding, ...options }: TrackOptions): Promise<OpenTrack> {
  const track = await findTrack(input, number);
  const codec = await track.getCodec();
  if (codec === null || !(await hasDecoder(track))) throw noDecoder(codecName(codec, await track.getInternalCodecId()));
  checkChannels(await track.getNumberOfChannels());
  const container = (await input.getFormat()).name;
  const firstSeconds = container === OGG.name ? await track.getFirstTimestamp() : 0;
  // The clock of a transport stream starts anywhere.
  const ownOrigin = container === MPEG_TS.name ? await input.getFirstTimestamp() : options.startsAnywhere ? firstSeconds : 0;
  const originSeconds = options.originSeconds ?? ownOrigin;
  const first = await firstSample(track, codec);
  const { sampleRate, numberOfChannels: channels } = first;
  first.close();
  checkSampleRate(sampleRate);
  checkChannels(channels);

  const delaySeconds = isMatroska(container) && DELAYED_CODECS.has(codec) ? await readCodecDelay(new ByteReader(source), track.id) : 0;
  const offsetSeconds = originSeconds + delaySeconds + (padding ? padding.leading / sampleRate : 0);
  const edits = isMp4(container) ? await editsOf(source, track) : null;
  const flacEnd = container === FLAC.name ? await readFlacEnd(new ByteReader(source)) : null;
  const promise = flacPromise(flacEnd, await promisedEnd(track, container));
  const editedEnd = edits && Math.max(...edits.map(({ to, shift }) => Math.min(to, promise ?? Infinity) + shift));
  const endSeconds = editedEnd ?? (promise === null ? null : promise - originSeconds);
  const endFrame = padding?.length ?? (endSeconds === null ? Infinity : Math.round(endSeconds * sampleRate));
  const canSeek = EXACT_SEEK_CONTAINERS.has(container) && !INEXACT_SEEK_CODECS.has(codec);
  const estimate = promise ?? (await estimateEnd(track));
  const decode = async function* (from: number, to: number): AsyncGenerator<PlanarBlock, number, undefined> {
    const early = canSeek ? from + offsetSeconds - PREROLL_SECONDS : 0;
    return yield* decodeTrack(track, { from: early > 0 ? early : -Infinity, to: to + offsetSeconds, offsetSeconds, sampleRate, codec });
  };
  return {
    container,
    codec,
    sampleRate,
    channels,
    originSeconds,
    firstSeconds,
    tracks: await listTracks(input, track),
    durationSeconds: Number.isFinite(endFrame)
      ? endFrame / sampleRate
      : estimate && Math.max(0, estimate - offsetSeconds),
    endFrame,
    async *blocks(fromFrame, toFrame) {
      const to = Math.min(toFrame, endFrame);
      if (edits && edits.length > 1) {
        yield* decodeEdits(edits, decode, { fromFrame, toFrame: to, sampleRate });
        return;
      }
      const reached = yield* decode(fromFrame / sampleRate, to / sampleRate);
      if (flacEnd) checkDamage(reached / sampleRate, Math.min(to / sampleRate, flacEnd.endSeconds), flacEnd);
      if (promise !== null) checkReached(reached, to, sampleRate);
    },
    close() {
      input.dispose();
    },
  };
}

async function editsOf(source: Blob, track: InputAudioTrack): Promise<PlacedStretch[] | null> {
  const edits = await readEdits(new ByteReader(source), track.id);
  return edits && placeEdits(edits);
}

type Decode = (fromSeconds: number, toSeconds: number) => AsyncGenerator<PlanarBlock, number, undefined>;

/** Decodes what a player plays: each stretch of the edit list, at its place. */
async function* decodeEdits(
  edits: readonly PlacedStretch[],
  decode: Decode,
  { fromFrame, toFrame, sampleRate }: { readonly fromFrame: number; readonly toFrame: number; readonly sampleRate: number },
): AsyncGenerator<PlanarBlock, void, undefined> {
  for (const { from, to, shift } of edits) {
    const shiftFrames = Math.round(shift * sampleRate);
    const start = Math.max(Math.round(from * sampleRate), fromFrame - shiftFrames);
    const end = Math.min(Math.round(to * sampleRate), toFrame - shiftFrames);
    if (end <= start) continue;
    for await (const block of decode(start / sampleRate, end / sampleRate)) {
      const part = cutBlock(block, start, end, shiftFrames);
      if (part) yield part;
    }
  }
}

async function firstSample(track: InputAudioTrack, codec: string): Promise<AudioSample> {
  const samples = new AudioSampleSink(track).samples();
  try {
    const { value } = await samples.next();
    if (value) return value;
  } catch (cause) {
    // Some containers are recognized by a few bytes; where not even the start decodes, it was no audio.
    throw unsupported(`The file looks like ${codecName(codec, null)} but cannot be decoded`, cause);
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
  if (!isMp4(container)) return null;
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

/** A header may count fewer samples than there are. If it counts more, the file is truncated. */
function flacPromise(end: FlacEnd | null, promised: number | null): number | null {
  return end && promised !== null && end.endSeconds > promised + TRUNCATION_TOLERANCE_SECONDS ? end.endSeconds : promised;
}

/** mediabunny stops at damage, without an error. */
function checkDamage(reachedSeconds: number, wantedSeconds: number, { endSeconds, frameSeconds }: FlacEnd): void {
  // The last frame may be truncated.
  if (wantedSeconds - reachedSeconds <= Math.max(TRUNCATION_TOLERANCE_SECONDS, 1.5 * frameSeconds)) return;
  throw new VoxlaneError({
    code: 'audio-decode',
    problem: `The sound cannot be read from ${reachedSeconds.toFixed(3)} s on, although the file holds sound up to ${endSeconds.toFixed(3)} s`,
    remedy: 'The file is damaged there; analyze the part before it with durationSeconds, or convert the file',
  });
}

function checkReached(reached: number, promised: number, sampleRate: number): void {
  if (!Number.isFinite(promised) || promised - reached <= TRUNCATION_TOLERANCE_SECONDS * sampleRate) return;
  const held = reached / sampleRate;
  throw truncated(
    `The file promises sound up to ${(promised / sampleRate).toFixed(3)} s but it ends at ${held.toFixed(3)} s`,
    held,
  );
}

/** @param heldSeconds what can be analyzed all the same; null where this is not known */
export function truncated(problem: string, heldSeconds: number | null): VoxlaneError {
  const stretch =
    heldSeconds === null
      ? 'repair it with "ffmpeg -i in -c copy out"'
      : `set durationSeconds so that the stretch ends by ${(Math.floor(heldSeconds * 1000) / 1000).toFixed(3)} s`;
  return new VoxlaneError({
    code: 'audio-truncated',
    problem,
    remedy: `Copy the whole file again, or ${stretch} to analyze the part that is there`,
  });
}

function noDecoder(codec: string): VoxlaneError {
  return unsupported(`The sound is ${codec}, and this browser has no decoder for it`);
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
