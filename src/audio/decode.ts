import { VoxlaneError } from '../util/errors';
import type { DecodeOptions, DecoderPlace, OpenAudio } from './decodeTypes';
import { findParts } from './layout/fileParts';
import { findWavParts } from './layout/wavParts';
import { truncated } from './mediaErrors';
import { decoderPlace } from './mediaInput';
import { NoteLog } from './noteLog';
import { recordingNotes, type RecordingNote } from './notes';
import { openJoined, openPart, type PartSource } from './openParts';
import { cutChannels, pullBlocks, type SamplePull } from './sampleBlocks';
import { streamOf, type SourceStream } from './sourceStream';
import { readWav } from './wav';
import { checkChannels, checkSampleRate, isWav, readWavHeader, unknownWavTag, type WavHeader } from './wavHeader';

export type { AudioFacts, DecodeOptions, OpenAudio } from './decodeTypes';

/** Largest file of an unknown kind that the page's decoder gets: it reads the whole file into memory. */
const MOST_UNKNOWN_BYTES = 2 ** 28;

/**
 * Where to decode this file. If the result is not `here`, {@link openAudio} refuses the file, but the page's `decodeAudioData`
 * may still read it.
 */
export async function decoderFor(source: Blob, track?: number): Promise<DecoderPlace> {
  if (source.size === 0) return 'here';
  if (await isWav(source)) return (await unknownWavTag(source)) === null ? 'here' : 'page';
  const { parts, unreadableCodec } = await findParts(source, track ?? 1);
  const place = unreadableCodec === null ? await decoderPlace(parts[0]!.segments[0]!, track) : 'unknown';
  return place === 'unknown' && source.size > MOST_UNKNOWN_BYTES ? 'here' : place;
}

/**
 * Opens an audio or video file for streaming. Of the file, a few megabytes at most are in memory.
 *
 * @throws VoxlaneError `audio-empty`, `audio-unsupported`, `audio-no-samples`, `audio-truncated`,
 *   `audio-channels`, `options`
 */
export async function openAudio(source: Blob, options: DecodeOptions): Promise<OpenAudio> {
  checkOptions(options);
  if (source.size === 0) {
    throw new VoxlaneError({
      code: 'audio-empty',
      problem: 'The file has no bytes',
      remedy: 'Choose another file, or copy this one again',
    });
  }
  return (await isWav(source)) ? openWav(source, options) : openMedia(source, options);
}

/**
 * The same for samples that are mono and at the target rate already.
 *
 * @param samples axes (sample); not copied, so they must not change while pieces are read
 * @throws VoxlaneError `audio-no-samples`, `options`
 */
export function openSamples(samples: Float32Array, options: DecodeOptions): OpenAudio {
  return openChannels([samples], options.sampleRate, options);
}

/**
 * The same for channels of PCM, as `AudioBuffer.getChannelData` gives them.
 *
 * @param channels axes (channel, sample), all of one length
 * @param sampleRate of the channels, in Hz
 * @throws VoxlaneError `audio-channels`, `audio-no-samples`, `audio-unsupported`, `options`
 */
export function openChannels(channels: readonly Float32Array[], sampleRate: number, options: DecodeOptions): OpenAudio {
  checkOptions(options);
  checkChannels(channels.length);
  checkSampleRate(sampleRate);
  const length = channels[0]?.length ?? 0;
  if (channels.some((channel) => channel.length !== length)) {
    throw new VoxlaneError({
      code: 'options',
      problem: `The channels have different lengths: ${channels.map((channel) => channel.length).join(', ')}`,
      expected: 'as many samples in each',
    });
  }
  return streamOf(
    {
      origin: { sampleRate, channels: channels.length, codec: 'pcm', container: 'samples', tracks: [] },
      endFrame: length,
      durationSeconds: length / sampleRate,
      blocks: (from, to) => cutChannels(channels, from, to),
      close: () => undefined,
    },
    options,
    new NoteLog(),
  );
}

/**
 * The same for mono samples that are asked for one after another; they are not held. Their number is known at their end
 * only: until then `facts.durationSeconds` is 0, or the stretch's where it has a length.
 *
 * @param sampleRate of the samples, in Hz
 * @throws VoxlaneError `audio-unsupported`, `options`
 */
export function openStream(pull: SamplePull, sampleRate: number, options: DecodeOptions): OpenAudio {
  checkOptions(options);
  checkSampleRate(sampleRate);
  return streamOf(
    {
      origin: { sampleRate, channels: 1, codec: 'pcm', container: 'samples', tracks: [] },
      endFrame: Infinity,
      durationSeconds: null,
      blocks: (_, to) => pullBlocks(pull, to),
      close: () => undefined,
    },
    options,
    new NoteLog(),
  );
}

async function openWav(source: Blob, options: DecodeOptions): Promise<OpenAudio> {
  checkTrack(options.track);
  const [first, ...others] = (await findWavParts(source)) as [Blob, ...Blob[]];
  if (others.length > 0) {
    const log = new NoteLog([recordingNotes.joined(1 + others.length, null)]);
    return openJoined([first, ...others].map((part) => wavPart(part, options)), options, log);
  }
  const header = await readWavHeader(source);
  checkWavEnd(header, options);
  return streamOf(wavStream(source, header), options, new NoteLog(wavNotes(header)));
}

function wavPart(source: Blob, options: DecodeOptions): PartSource {
  return {
    bytes: source.size,
    durationSeconds: null,
    async open({ log, offsetSeconds }) {
      const header = await readWavHeader(source);
      checkWavEnd(header, options, offsetSeconds);
      wavNotes(header, offsetSeconds).forEach((note) => { log.add(note); });
      return wavStream(source, header);
    },
  };
}

function wavStream(source: Blob, header: WavHeader): SourceStream {
  const { sampleRate, channels, heldFrames, promisedFrames } = header;
  return {
    origin: { sampleRate, channels, codec: 'pcm', container: 'WAVE', tracks: [] },
    endFrame: heldFrames,
    durationSeconds: heldFrames / sampleRate,
    ...(promisedFrames > heldFrames && { cutOff: promisedFrames / sampleRate }),
    blocks: (from, to) => readWav(source, header, from, to),
    close: () => undefined,
  };
}

function wavNotes({ ignoredBytes, skippedBytes, heldFrames, channels, sampleBytes, sampleRate }: WavHeader, offsetSeconds = 0): RecordingNote[] {
  return [
    ...(ignoredBytes === null ? [] : [recordingNotes.sizeIgnored(ignoredBytes, heldFrames * channels * sampleBytes)]),
    ...(skippedBytes === 0 ? [] : [recordingNotes.bytesSkipped(skippedBytes, offsetSeconds + heldFrames / sampleRate, 1)]),
  ];
}

/**
 * A truncated file is still good for a stretch that lies within what it holds.
 *
 * @param offsetSeconds time of the file's first sample on the recording's clock
 */
function checkWavEnd({ sampleRate, heldFrames, promisedFrames }: WavHeader, options: DecodeOptions, offsetSeconds = 0): void {
  const { startSeconds = 0, durationSeconds = Infinity } = options;
  const wanted = Math.min(promisedFrames, Math.round((startSeconds + durationSeconds - offsetSeconds) * sampleRate));
  if (wanted <= heldFrames) return;
  const isNearly = heldFrames > 0 && promisedFrames - heldFrames <= Math.min(TOLERATED_SECONDS * sampleRate, heldFrames / 10);
  if (isNearly) return;
  const [promised, held] = [promisedFrames, heldFrames].map((frames) => offsetSeconds + frames / sampleRate) as [number, number];
  throw truncated(`The WAV header promises ${promised.toFixed(3)} s but the file holds ${held.toFixed(3)} s`, held);
}

/** The same tolerance as for other containers. The result has a note. */
const TOLERATED_SECONDS = 0.25;

async function openMedia(source: Blob, options: DecodeOptions): Promise<OpenAudio> {
  const { track } = options;
  checkTrack(track, Infinity);
  const { parts, notes, unreadableCodec } = await findParts(source, track ?? 1);
  const log = new NoteLog(notes);
  const trackOptions = { track, unreadableCodec };
  if (parts.length > 1) {
    const sources = parts.map((part): PartSource => ({
      bytes: part.segments.reduce((sum, { size }) => sum + size, 0),
      durationSeconds: part.durationSeconds,
      open: (target) => openPart(part, trackOptions, target),
    }));
    const audio = await openJoined(sources, options, log);
    noteTracks(audio, log);
    return audio;
  }
  const stream = await openPart(parts[0]!, trackOptions, { log, offsetSeconds: 0 });
  try {
    const audio = streamOf(stream, options, log);
    noteTracks(audio, log);
    return audio;
  } catch (cause) {
    stream.close();
    throw cause;
  }
}

function noteTracks({ facts: { tracks } }: OpenAudio, log: NoteLog): void {
  const read = tracks.find(({ isRead }) => isRead);
  if (read && tracks.length > 1) log.add(recordingNotes.severalTracks(read.number, tracks.length));
}

/** @throws VoxlaneError `options` */
function checkTrack(track: number | undefined, most = 1): void {
  if (track === undefined || (Number.isInteger(track) && track >= 1 && track <= most)) return;
  throw new VoxlaneError({
    code: 'options',
    problem: `The option track is ${track}`,
    expected: most === 1 ? '1, or no track: the file has one audio track' : 'a whole number from 1 on',
    remedy: 'Change the option and run again',
  });
}

function checkOptions({ sampleRate, startSeconds = 0, durationSeconds = Infinity }: DecodeOptions): void {
  const checks: readonly (readonly [string, number, boolean, string])[] = [
    ['sampleRate', sampleRate, Number.isInteger(sampleRate) && sampleRate > 0, 'a whole number of Hz above 0'],
    ['startSeconds', startSeconds, Number.isFinite(startSeconds) && startSeconds >= 0, 'a number of seconds from 0 on'],
    ['durationSeconds', durationSeconds, durationSeconds * sampleRate >= 1, 'the length of one sample at least'],
  ];
  for (const [name, value, isGood, expected] of checks) {
    if (!isGood) throw new VoxlaneError({ code: 'options', problem: `${name} is ${value}`, expected });
  }
}
