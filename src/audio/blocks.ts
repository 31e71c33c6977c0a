import { VoxlaneError } from '../util/errors';
import { checkChannels } from './wavHeader';

/** Decoded sound as it comes from a decoder, before anything is made of it. */
export interface SoundBlock {
  /** Place of the first sample on the recording's time axis, in samples of the source; may be negative. */
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

/** Silence is given out in pieces of at most this, so that a long gap needs no memory. */
const SILENCE_SAMPLES = 65_536;
/** A longer gap is a broken timestamp, and filling it would look like a hang. */
const LONGEST_GAP_SECONDS = 24 * 3600;

/**
 * Mean over the channels, as pyannote.audio's `mono="downmix"`.
 *
 * @param channels axes (channel, sample), 1 to 32 channels of one length
 * @returns axes (sample); the array itself where there is but one channel
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
 * Lays blocks on one unbroken time axis: silence where their places leave a gap, a cut where they overlap or
 * lie before `fromFrame` or after `toFrame`. Each sample is given once, from `fromFrame` on.
 *
 * @param sampleRate of the blocks, for the times in errors
 * @throws VoxlaneError `audio-not-finite` with the time of the first NaN or infinite sample; `audio-decode`
 *   where a gap is a day or longer
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
    problem: `The sound stops at ${seconds(from, sampleRate)} and goes on at ${seconds(to, sampleRate)}`,
    expected: 'gaps of less than a day',
    remedy: 'The timestamps of the file are broken; remux or convert it',
  });
}

/** @throws VoxlaneError `audio-not-finite` */
function checkFinite(samples: Float32Array, startFrame: number, sampleRate: number): void {
  // 0 for finite samples, NaN as soon as one is not: one test for the whole piece.
  let probe = 0;
  for (const sample of samples) probe += sample * 0;
  if (probe === 0) return;
  const index = samples.findIndex((sample) => !Number.isFinite(sample));
  throw new VoxlaneError({
    code: 'audio-not-finite',
    problem: `The sample at ${seconds(startFrame + index, sampleRate)} is ${samples[index]}`,
    expected: 'finite numbers, as a rule between -1 and 1',
    remedy: 'Export the recording again, as 16-bit PCM for example, or leave out that part',
  });
}

/** Turns whatever a decoder throws in mid-stream into `audio-decode` with its time. */
export function decodeFailure(frame: number, sampleRate: number, cause: unknown): VoxlaneError {
  if (cause instanceof VoxlaneError) return cause;
  return new VoxlaneError(
    {
      code: 'audio-decode',
      problem: `Decoding failed after ${seconds(frame, sampleRate)}`,
      remedy: 'The file is damaged there; analyze the part before it with durationSeconds, or convert the file',
    },
    { cause },
  );
}

function seconds(frame: number, sampleRate: number): string {
  return `${(frame / sampleRate).toFixed(3)} s`;
}

/** Samples of each channel. */
export const blockLength = ({ channels }: PlanarBlock): number => channels[0]?.length ?? 0;

/** Place after the last sample, on the axis of `startFrame`. */
export const blockEnd = (block: PlanarBlock): number => block.startFrame + blockLength(block);

/** The part of a block within `[from, to)`, moved by `shift`, all in samples; null if nothing is left. */
export function cutBlock(block: PlanarBlock, from: number, to: number, shift = 0): PlanarBlock | null {
  const { startFrame, channels } = block;
  const start = Math.max(0, from - startFrame);
  const end = Math.min(blockLength(block), to - startFrame);
  if (end <= start) return null;
  return { startFrame: startFrame + start + shift, channels: channels.map((channel) => channel.subarray(start, end)) };
}

/** Mono samples that come when they are asked for, as a rule from another thread. */
export interface SamplePull {
  /**
   * The next samples, axes (sample), of any length above 0; null after the last. Asked again only once it has answered.
   *
   * @param wanted samples after which no more will be asked for; may be infinite
   */
  next(wanted: number): Promise<Float32Array | null>;
  /** No more will be asked for. */
  stop(): void | Promise<void>;
}

const BLOCK_FRAMES = 65_536;

/**
 * Channels of PCM in blocks.
 *
 * @param channels axes (channel, sample), all of one length
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

/** Asks for samples from the first on, until `toFrame` is reached or there are no more, and no faster than blocks are taken. */
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
