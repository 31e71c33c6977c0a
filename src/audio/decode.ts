import { VoxlaneError } from '../util/errors';
import { contiguous, type SoundBlock } from './blocks';
import { lacksDecoder, openTrack, truncated } from './media';
import { commonPeriod, resampledLength, Resampler } from './resample';
import { cutChannels, pullBlocks, type SamplePull } from './sampleBlocks';
import { readWav } from './wav';
import { checkChannels, checkSampleRate, isWav, readWavHeader, unknownWavTag, type WavHeader } from './wavHeader';

/** What is known of a recording before it is decoded. */
export interface AudioFacts {
  /** Length of the analysed stretch; an estimate where the container gives no exact one (MP3 without a tag, WebM). */
  readonly durationSeconds: number;
  /** Of the source, in Hz. */
  readonly sampleRate: number;
  /** Of the source. */
  readonly channels: number;
  /** mediabunny's name of the codec, or `pcm`. */
  readonly codec: string;
  /** mediabunny's name of the container, `WAVE`, or `samples`. */
  readonly container: string;
}

export interface DecodeOptions {
  /** Rate of the samples that are wanted, in Hz. */
  readonly sampleRate: number;
  /** Where the stretch starts, to the nearest output sample. Default 0. */
  readonly startSeconds?: number;
  /** Length of the stretch, to the nearest output sample. Default: to the end. A longer one ends with the recording. */
  readonly durationSeconds?: number;
}

/** A recording that is ready to be decoded. */
export interface OpenAudio {
  readonly facts: AudioFacts;
  /**
   * The stretch as mono samples, axes (sample), at the target rate, in pieces of any length above 0. Samples of
   * integer formats lie in [-1, 1); those of float formats and of lossy codecs are given as they are, also
   * beyond, since pyannote.audio does not clip either. Sound that starts late and gaps are filled with silence.
   *
   * May be called once.
   *
   * @throws VoxlaneError `audio-decode`, `audio-not-finite`, `audio-no-samples`, `audio-truncated`, `disposed`
   */
  pieces(): AsyncGenerator<Float32Array, void, undefined>;
  /** Frees the decoder. A stream of pieces in progress ends or throws. */
  close(): void;
}

/**
 * Whether {@link openAudio} will refuse this file for lack of a decoder in this thread that works, where
 * `decodeAudioData` may still have one. False for files that are bad in any other way: `openAudio` then says how.
 */
export async function needsPageDecoder(source: Blob): Promise<boolean> {
  if (await isWav(source)) return (await unknownWavTag(source)) !== null;
  return source.size > 0 && lacksDecoder(source);
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
      origin: { sampleRate, channels: channels.length, codec: 'pcm', container: 'samples' },
      endFrame: length,
      durationSeconds: length / sampleRate,
      blocks: (from, to) => cutChannels(channels, from, to),
      close: () => undefined,
    },
    options,
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
      origin: { sampleRate, channels: 1, codec: 'pcm', container: 'samples' },
      endFrame: Infinity,
      durationSeconds: null,
      blocks: (_, to) => pullBlocks(pull, to),
      close: () => undefined,
    },
    options,
  );
}

async function openWav(source: Blob, options: DecodeOptions): Promise<OpenAudio> {
  const header = await readWavHeader(source);
  checkWavEnd(header, options);
  const { sampleRate, channels, heldFrames } = header;
  return streamOf(
    {
      origin: { sampleRate, channels, codec: 'pcm', container: 'WAVE' },
      endFrame: heldFrames,
      durationSeconds: heldFrames / sampleRate,
      blocks: (from, to) => readWav(source, header, from, to),
      close: () => undefined,
    },
    options,
  );
}

/** A truncated file is still good for a stretch that lies within what it holds. */
function checkWavEnd({ sampleRate, heldFrames, promisedFrames }: WavHeader, options: DecodeOptions): void {
  const { startSeconds = 0, durationSeconds = Infinity } = options;
  const wanted = Math.min(promisedFrames, Math.round((startSeconds + durationSeconds) * sampleRate));
  if (wanted <= heldFrames) return;
  const [promised, held] = [promisedFrames / sampleRate, heldFrames / sampleRate];
  throw truncated(`The WAV header promises ${promised.toFixed(3)} s but the file holds ${held.toFixed(3)} s`, held);
}

async function openMedia(source: Blob, options: DecodeOptions): Promise<OpenAudio> {
  const track = await openTrack(source);
  try {
    return streamOf({ ...track, origin: track }, options);
  } catch (cause) {
    track.close();
    throw cause;
  }
}

/** Sound on its own time axis, at its own rate. */
interface SourceStream {
  readonly origin: Pick<AudioFacts, 'sampleRate' | 'channels' | 'codec' | 'container'>;
  /** Samples of the recording; infinite where only decoding can tell. */
  readonly endFrame: number;
  readonly durationSeconds: number | null;
  blocks(fromFrame: number, toFrame: number): AsyncIterable<SoundBlock> | Iterable<SoundBlock>;
  close(): void;
}

function streamOf(source: SourceStream, options: DecodeOptions): OpenAudio {
  const { sampleRate, channels, codec, container } = source.origin;
  const stretch = stretchOf(source, options);
  let state: 'fresh' | 'read' | 'closed' = 'fresh';
  let stream: AsyncGenerator<Float32Array, void, undefined> | undefined;
  return {
    facts: { durationSeconds: stretch.expectedSeconds, sampleRate, channels, codec, container },
    pieces() {
      if (state !== 'fresh') {
        const problem = state === 'closed' ? 'The audio is closed' : 'The audio has been read already';
        throw new VoxlaneError({ code: 'disposed', problem, remedy: 'Open it again' });
      }
      state = 'read';
      stream = readStretch(source, stretch, options.sampleRate);
      return stream;
    },
    close() {
      if (state === 'closed') return;
      state = 'closed';
      source.close();
      // A stream that nobody reads on from would never free the resampler.
      stream?.return().catch(() => undefined);
    },
  };
}

/** A part of the recording, counted in output samples. */
interface Stretch {
  readonly start: number;
  /** Infinite: to the end. */
  readonly end: number;
  readonly expectedSeconds: number;
}

function stretchOf(source: SourceStream, options: DecodeOptions): Stretch {
  const { sampleRate, startSeconds = 0, durationSeconds = Infinity } = options;
  if (source.endFrame <= 0) throw noSamples();
  const start = Math.round(startSeconds * sampleRate);
  const length = resampledLength(source.endFrame, source.origin.sampleRate, sampleRate);
  if (start >= length && start > 0) throw startsTooLate(startSeconds, length / sampleRate);
  const end = Math.min(length, start + Math.round(durationSeconds * sampleRate));
  const known = source.durationSeconds ?? 0;
  const expectedSeconds = Number.isFinite(end)
    ? (end - start) / sampleRate
    : Math.max(0, Math.min(known - startSeconds, durationSeconds));
  return { start, end, expectedSeconds };
}

async function* readStretch(
  source: SourceStream,
  { start, end }: Stretch,
  targetRate: number,
): AsyncGenerator<Float32Array, void, undefined> {
  const sourceRate = source.origin.sampleRate;
  const resampler = sourceRate === targetRate ? null : await Resampler.create(sourceRate, targetRate);
  const reach = resampler?.reach ?? 0;
  // The filter starts where both grids meet, far enough before the stretch to be free of the silence that it
  // starts from, so that the stretch is the same as the one cut from the whole.
  const period = commonPeriod(sourceRate, targetRate);
  const periodsBefore = Math.floor((start * sourceRate) / targetRate - reach) / period.source;
  const firstPeriod = Math.max(0, Math.floor(periodsBefore));
  const fromFrame = firstPeriod * period.source;
  const toFrame = Math.min(source.endFrame, Math.ceil((end * sourceRate) / targetRate) + reach);

  let place = firstPeriod * period.target;
  let given = 0;
  const cut = (samples: Float32Array): Float32Array => {
    const part = samples.subarray(Math.max(0, start - place), Math.max(0, end - place));
    place += samples.length;
    given += part.length;
    return part;
  };
  try {
    for await (const sound of contiguous(source.blocks(fromFrame, toFrame), sourceRate, fromFrame, toFrame)) {
      const part = cut(resampler ? resampler.process(sound) : sound);
      if (part.length > 0) yield part;
    }
    if (resampler) {
      const part = cut(resampler.flush());
      if (part.length > 0) yield part;
    }
  } finally {
    resampler?.close();
  }
  if (given > 0) return;
  if (start > 0) throw startsTooLate(start / targetRate, place / targetRate);
  throw noSamples();
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

function startsTooLate(startSeconds: number, lengthSeconds: number): VoxlaneError {
  return new VoxlaneError({
    code: 'options',
    problem: `startSeconds is ${startSeconds} but the recording is ${lengthSeconds.toFixed(3)} s long`,
    expected: 'a start within the recording',
  });
}

function noSamples(): VoxlaneError {
  return new VoxlaneError({
    code: 'audio-no-samples',
    problem: 'The recording holds no samples',
    remedy: 'Choose another recording',
  });
}
