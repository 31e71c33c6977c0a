import { VoxlaneError } from '../util/errors';
import { checkChannels } from './wavHeader';

/** Decoded audio as the decoder returns it. */
export interface SoundBlock {
  /** Position of the first sample on the recording's time axis, in source samples; may be negative. */
  readonly startFrame: number;
  /** Mono, axes (sample), source rate. */
  readonly samples: Float32Array;
}

/** {@link SoundBlock} with all channels. */
export interface PlanarBlock {
  /** As in {@link SoundBlock}. */
  readonly startFrame: number;
  /** Axes (channel, sample), 1 to 32 channels of one length. */
  readonly channels: readonly Float32Array[];
}

/** Maximum length of a block of silence. A long gap is filled block by block, so it needs little memory. */
const SILENCE_SAMPLES = 65_536;
/** With larger samples, the power of a frame exceeds the largest 32-bit float, because features scale samples by 32,768. */
const MAX_SAMPLE = 1e12;
/** A longer gap is a broken timestamp. Filling it would look like a hang. */
const LONGEST_GAP_SECONDS = 24 * 3600;

/**
 * Mean over the channels, like pyannote.audio's `mono="downmix"`.
 *
 * @param channels axes (channel, sample), 1 to 32 channels of equal length
 * @returns axes (sample); for one channel, the same array
 * @throws VoxlaneError `audio-channels`
 */
export function mixToMono(channels: readonly Float32Array[]): Float32Array {
  checkChannels(channels.length);
  const [first] = channels as [Float32Array];
  if (channels.length === 1) return first;
  const mono = new Float32Array(first.length);
  for (let i = 0; i < mono.length; i++) {
    let sum = 0;
    for (const channel of channels) sum += channel[i]!;
    mono[i] = sum / channels.length;
  }
  return mono;
}

/**
 * Arranges blocks on a continuous time axis: fills gaps with silence, and drops samples that overlap or lie before
 * `fromFrame` or after `toFrame`. Each sample from `fromFrame` is yielded once.
 *
 * @param sampleRate of the blocks, for the times in errors
 * @throws VoxlaneError `audio-not-finite` with the time of the first sample that is NaN, infinite or too large;
 *   `audio-decode` for a gap of more than a day
 */
export async function* contiguous(
  blocks: AsyncIterable<SoundBlock> | Iterable<SoundBlock>,
  sampleRate: number,
  fromFrame: number,
  toFrame: number,
): AsyncGenerator<Float32Array, void, undefined> {
  let next = fromFrame;
  for await (const { startFrame, samples } of blocks) {
    if (next >= toFrame) return;
    const gapEnd = Math.min(startFrame, toFrame);
    if (gapEnd - next > LONGEST_GAP_SECONDS * sampleRate) throw brokenTimestamp(next, startFrame, sampleRate);
    while (next < gapEnd) {
      const silence = new Float32Array(Math.min(gapEnd - next, SILENCE_SAMPLES));
      next += silence.length;
      yield silence;
    }
    const fresh = samples.subarray(Math.max(0, next - startFrame), Math.max(0, toFrame - startFrame));
    if (fresh.length === 0) continue;
    checkFinite(fresh, next, sampleRate);
    next += fresh.length;
    yield fresh;
  }
}

function brokenTimestamp(from: number, to: number, sampleRate: number): VoxlaneError {
  return new VoxlaneError({
    code: 'audio-decode',
    problem: `The audio stops at ${seconds(from, sampleRate)} and continues at ${seconds(to, sampleRate)}`,
    expected: 'gaps of less than a day',
    remedy: 'The timestamps of the file are wrong. Remux or convert it',
  });
}

/** @throws VoxlaneError `audio-not-finite` */
export function checkFinite(samples: Float32Array, startFrame: number, sampleRate: number): void {
  // False for NaN.
  const isUsable = (sample: number): boolean => Math.abs(sample) <= MAX_SAMPLE;
  if (samples.every(isUsable)) return;
  const index = samples.findIndex((sample) => !isUsable(sample));
  throw new VoxlaneError({
    code: 'audio-not-finite',
    problem: `The sample at ${seconds(startFrame + index, sampleRate)} is ${samples[index]}`,
    expected: 'numbers up to 1e12, normally between -1 and 1',
    remedy: 'Export the recording again, for example as 16-bit PCM, or exclude that part',
  });
}

/** Converts any error of a decoder in mid-stream to `audio-decode` with its time. */
export function decodeFailure(frame: number, sampleRate: number, cause: unknown): VoxlaneError {
  if (cause instanceof VoxlaneError) return cause;
  return new VoxlaneError(
    {
      code: 'audio-decode',
      problem: `Decoding failed after ${seconds(frame, sampleRate)}`,
      remedy: 'The file is damaged at this point. Analyze the part before it with durationSeconds, or convert the file',
    },
    { cause },
  );
}

function seconds(frame: number, sampleRate: number): string {
  return `${(frame / sampleRate).toFixed(3)} s`;
}

/** Number of samples per channel. */
const blockLength = ({ channels }: PlanarBlock): number => channels[0]?.length ?? 0;

/** End of the block, on the axis of `startFrame`. */
export const blockEnd = (block: PlanarBlock): number => block.startFrame + blockLength(block);

/** The part of a block within `[from, to)`, moved by `shift`, all in samples; null if it is empty. */
export function cutBlock(block: PlanarBlock, from: number, to: number, shift = 0): PlanarBlock | null {
  const { startFrame, channels } = block;
  const start = Math.max(0, from - startFrame);
  const end = Math.min(blockLength(block), to - startFrame);
  if (end <= start) return null;
  return { startFrame: startFrame + start + shift, channels: channels.map((channel) => channel.subarray(start, end)) };
}

/** Mono samples on request, usually from another thread. */
export interface SamplePull {
  /**
   * Returns the next samples, axes (sample), of any length above 0; null after the last. Call it again only after it
   * has resolved.
   *
   * @param wanted total number of samples that the caller will still request; may be infinite
   */
  next(wanted: number): Promise<Float32Array | null>;
  /** Ends the requests. */
  stop(): void | Promise<void>;
}

const BLOCK_FRAMES = 65_536;

/**
 * Yields PCM channels in blocks.
 *
 * @param channels axes (channel, sample), all of equal length
 */
export function* cutChannels(
  channels: readonly Float32Array[],
  fromFrame: number,
  toFrame: number,
): Generator<PlanarBlock, void, undefined> {
  const end = Math.min(toFrame, channels[0]?.length ?? 0);
  for (let startFrame = fromFrame; startFrame < end; startFrame += BLOCK_FRAMES) {
    const stop = Math.min(end, startFrame + BLOCK_FRAMES);
    yield { startFrame, channels: channels.map((channel) => channel.subarray(startFrame, stop)) };
  }
}

/** Requests samples until `toFrame` or the end of the stream, no faster than the blocks are consumed. */
export async function* pullBlocks(pull: SamplePull, toFrame: number): AsyncGenerator<PlanarBlock, void, undefined> {
  let startFrame = 0;
  while (startFrame < toFrame) {
    const samples = await pull.next(toFrame - startFrame);
    if (!samples) return;
    yield { startFrame, channels: [samples] };
    startFrame += samples.length;
  }
  await pull.stop();
}
