/** Reads a source as mono samples at the target rate: mixes its channels, resamples, and selects a segment. */
import { VoxlaneError } from '../util/errors';
import { concatenate } from '../util/values';
import { blockEnd, contiguous, cutBlock, mixToMono, type PlanarBlock, type SoundBlock } from './blocks';
import { type NoteLog, recordingNotes } from './notes';
import { commonPeriod, resampledLength, Resampler } from './resample';
import type { AudioInfo, DecodeOptions, OpenAudio } from './types';

/**
 * Duration over which channels are compared. Two channels can be inverted by chance for the 20 ms of a decoded block,
 * but not for a second.
 */
const MIX_SEGMENT_SECONDS = 1;
/**
 * Energy of the mean, relative to the mean of independent channels. For two channels, 0.05 is a correlation of -0.95:
 * less than 5 % of the audio would remain. The mean of ordinary stereo is above 1, and one channel alone, with
 * silence in the others, is 1.
 */
const CANCELLED = 0.05;
/** Channels with a smaller share of the loudest channel's energy are not used: 6 dB below. */
const MIN_OF_LOUDEST = 0.25;

/**
 * Mixes each one-second segment to the mean over its channels, or uses one channel if they cancel each other.
 *
 * @param sampleRate of the blocks
 * @param onCancel called once, with the start of the first such segment in seconds
 * @throws VoxlaneError `audio-channels`
 */
export async function* mixed(
  blocks: AsyncIterable<PlanarBlock> | Iterable<PlanarBlock>,
  sampleRate: number,
  onCancel: (atSeconds: number) => void,
): AsyncGenerator<SoundBlock, void, undefined> {
  const segmentFrames = Math.max(1, Math.round(MIX_SEGMENT_SECONDS * sampleRate));
  let held: PlanarBlock[] = [];
  let isReported = false;
  const flush = (): SoundBlock => {
    const { samples, cancels } = mixTogether(held);
    const mix = { startFrame: held[0]!.startFrame, samples };
    held = [];
    if (cancels && !isReported) {
      isReported = true;
      onCancel(Math.max(0, mix.startFrame / sampleRate));
    }
    return mix;
  };
  for await (const block of blocks) {
    if (block.channels.length === 1) {
      if (held.length > 0) yield flush();
      yield { startFrame: block.startFrame, samples: mixToMono(block.channels) };
      continue;
    }
    const end = blockEnd(block);
    for (let from = block.startFrame; from < end; ) {
      const last = held.at(-1);
      const isNext = !last || (from === blockEnd(last) && block.channels.length === last.channels.length);
      if (!isNext) yield flush();
      // Segments lie on a fixed grid, so a part of a recording is mixed in the same way as the whole.
      const to = (Math.floor(from / segmentFrames) + 1) * segmentFrames;
      held.push(cutBlock(block, from, to)!);
      if (to <= end) yield flush();
      from = to;
    }
  }
  if (held.length > 0) yield flush();
}

/** @param blocks consecutive blocks of one segment */
function mixTogether(blocks: readonly PlanarBlock[]): { samples: Float32Array; cancels: boolean } {
  const mixes = blocks.map(({ channels }) => mixToMono(channels));
  const numChannels = blocks[0]!.channels.length;
  const energies = Array.from({ length: numChannels }, (_, channel) =>
    blocks.reduce((sum, { channels }) => sum + energyOf(channels[channel]!), 0),
  );
  const mixEnergy = mixes.reduce((sum, mix) => sum + energyOf(mix), 0);
  const independent = energies.reduce((sum, energy) => sum + energy, 0) / numChannels ** 2;
  // False for silence and for NaN. A later check reports NaN.
  if (!(mixEnergy < CANCELLED * independent)) return { samples: concatenate(mixes), cancels: false };
  const loudest = Math.max(...energies);
  const taken = energies.findIndex((energy) => energy >= MIN_OF_LOUDEST * loudest);
  return { samples: concatenate(blocks.map(({ channels }) => channels[taken]!)), cancels: true };
}

function energyOf(samples: Float32Array): number {
  let sum = 0;
  for (const value of samples) sum += value * value;
  return sum;
}

/** Audio on its own time axis, at its own rate. */
export interface SourceStream {
  readonly origin: Pick<AudioInfo, 'sampleRate' | 'channels' | 'codec' | 'container' | 'tracks'>;
  /** Number of samples of the recording; infinite if only decoding reveals it. */
  readonly endFrame: number;
  readonly durationSeconds: number | null;
  /**
   * Length in seconds that the header of a truncated file declares, or null if it declares none. Undefined if the
   * file is complete.
   */
  readonly cutOff?: number | null | undefined;
  blocks(fromFrame: number, toFrame: number): AsyncIterable<PlanarBlock> | Iterable<PlanarBlock>;
  close(): void;
}

/** A part of the recording, in output samples. */
interface SampleRange {
  readonly startSample: number;
  /** Infinite: to the end. */
  readonly endSample: number;
}

/** Receives notes of a source. */
export interface NoteTarget {
  readonly log: NoteLog;
  /** Time of the source's first sample on the recording's clock. */
  readonly offsetSeconds: number;
}

/** A recording with a single source. */
export function streamOf(source: SourceStream, options: DecodeOptions, log: NoteLog): OpenAudio {
  const { range, expectedSeconds } = rangeOf(source, options);
  return readOnce({
    facts: { durationSeconds: expectedSeconds, ...source.origin },
    log,
    read: () => readWhole(source, range, options.sampleRate, log),
    close: () => {
      source.close();
    },
  });
}

async function* readWhole(source: SourceStream, range: SampleRange, targetRate: number, log: NoteLog): AsyncGenerator<Float32Array, void, undefined> {
  const { given, place } = yield* readRange(source, range, targetRate, { log, offsetSeconds: 0 });
  if (given > 0) return;
  if (range.startSample > 0) throw startsTooLate(range.startSample / targetRate, place / targetRate);
  throw noSamples();
}

/** An {@link OpenAudio} whose pieces can be read once. */
export function readOnce({ facts, log, read, close }: {
  readonly facts: AudioInfo;
  readonly log: NoteLog;
  readonly read: () => AsyncGenerator<Float32Array, void, undefined>;
  readonly close: () => void;
}): OpenAudio {
  let state: 'fresh' | 'read' | 'closed' = 'fresh';
  let stream: AsyncGenerator<Float32Array, void, undefined> | undefined;
  return {
    facts,
    notes: () => log.list(),
    pieces() {
      if (state !== 'fresh') {
        const problem = state === 'closed' ? 'The audio is closed' : 'The audio has already been read';
        throw new VoxlaneError({ code: 'disposed', problem, remedy: 'Open it again' });
      }
      state = 'read';
      stream = read();
      return stream;
    },
    close() {
      if (state === 'closed') return;
      state = 'closed';
      close();
      // An abandoned stream would never free the resampler.
      stream?.return().catch(() => undefined);
    },
  };
}

function rangeOf(source: SourceStream, options: DecodeOptions): { range: SampleRange; expectedSeconds: number } {
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
  return { range: { startSample: start, endSample: end }, expectedSeconds };
}

/**
 * Decodes, mixes and resamples a part of a source.
 *
 * @returns `given`: samples of the part; `place`: output samples from the source's start to the end of decoding
 */
export async function* readRange(
  source: SourceStream,
  { startSample: start, endSample: end }: SampleRange,
  targetRate: number,
  notes: NoteTarget,
): AsyncGenerator<Float32Array, { readonly given: number; readonly place: number }, undefined> {
  const sourceRate = source.origin.sampleRate;
  const resampler = sourceRate === targetRate ? null : await Resampler.create(sourceRate, targetRate);
  const reach = resampler?.reach ?? 0;
  // The filter starts at a common point of both grids, far enough before the part that the initial silence of the
  // filter does not affect it. Therefore, the part equals the same part of the whole recording.
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
  const mono = mixed(source.blocks(fromFrame, toFrame), sourceRate, (atSeconds) => {
    notes.log.add(recordingNotes.channelsCancel(notes.offsetSeconds + atSeconds));
  });
  try {
    for await (const sound of contiguous(mono, sourceRate, fromFrame, toFrame)) {
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
  // Not if the part ends before the recording.
  const isToEnd = Number.isFinite(source.endFrame) ? toFrame === source.endFrame : place < end;
  if (source.cutOff !== undefined && isToEnd) {
    const promised = source.cutOff === null ? null : notes.offsetSeconds + source.cutOff;
    notes.log.add(recordingNotes.cutOff(notes.offsetSeconds + place / targetRate, promised));
  }
  return { given, place };
}

export function startsTooLate(startSeconds: number, lengthSeconds: number): VoxlaneError {
  return new VoxlaneError({
    code: 'options',
    problem: `startSeconds is ${startSeconds} but the recording is ${lengthSeconds.toFixed(3)} s long`,
    expected: 'a start within the recording',
  });
}

export function noSamples(): VoxlaneError {
  return new VoxlaneError({
    code: 'audio-no-samples',
    problem: 'The recording contains no samples',
    remedy: 'Choose another recording',
  });
}
