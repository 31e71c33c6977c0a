/** Mixes channels to one without losing sound that cancels in the mean. */
import { concatenate } from '../util/concatenate';
import { mixToMono, type PlanarBlock, type SoundBlock } from './blocks';
import { blockEnd, cutBlock } from './cutBlock';

/**
 * Channels are compared over this time. By chance, two channels can be inverted for the 20 ms of a decoded block, but not for
 * a second.
 */
const STRETCH_SECONDS = 1;
/**
 * Energy of the mean, relative to that of the mean of channels that are independent of each other. For two channels, 0.05
 * is a correlation of -0.95: less than 5 % of the sound would be left. A mean of ordinary stereo is above 1, and one
 * channel alone, with silence in the others, is at 1.
 */
const CANCELLED = 0.05;
/** Channels with less than this share of the loudest channel's energy are not used: 6 dB below. */
const LEAST_OF_LOUDEST = 0.25;

/**
 * Mixes each stretch of a second to the mean over its channels, or uses one channel if they cancel each other.
 *
 * @param sampleRate of the blocks
 * @param onCancel called once, with the start of the first such stretch in seconds
 * @throws VoxlaneError `audio-channels`
 */
export async function* mixed(
  blocks: AsyncIterable<PlanarBlock> | Iterable<PlanarBlock>,
  sampleRate: number,
  onCancel: (atSeconds: number) => void,
): AsyncGenerator<SoundBlock, void, undefined> {
  const stretchFrames = Math.max(1, Math.round(STRETCH_SECONDS * sampleRate));
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
      // Stretches lie on a fixed grid, so that a part of a recording is mixed as the whole is.
      const to = (Math.floor(from / stretchFrames) + 1) * stretchFrames;
      held.push(cutBlock(block, from, to)!);
      if (to <= end) yield flush();
      from = to;
    }
  }
  if (held.length > 0) yield flush();
}

/** @param blocks of one stretch, each after the other */
function mixTogether(blocks: readonly PlanarBlock[]): { samples: Float32Array; cancels: boolean } {
  const mixes = blocks.map(({ channels }) => mixToMono(channels));
  const numChannels = blocks[0]!.channels.length;
  const energies = Array.from({ length: numChannels }, (_, channel) =>
    blocks.reduce((sum, { channels }) => sum + energyOf(channels[channel]!), 0),
  );
  const mixEnergy = mixes.reduce((sum, mix) => sum + energyOf(mix), 0);
  const independent = energies.reduce((sum, energy) => sum + energy, 0) / numChannels ** 2;
  // False for silence and for NaN. NaN is reported by a later check.
  if (!(mixEnergy < CANCELLED * independent)) return { samples: concatenate(mixes), cancels: false };
  const loudest = Math.max(...energies);
  const taken = energies.findIndex((energy) => energy >= LEAST_OF_LOUDEST * loudest);
  return { samples: concatenate(blocks.map(({ channels }) => channels[taken]!)), cancels: true };
}

function energyOf(samples: Float32Array): number {
  let sum = 0;
  for (const value of samples) sum += value * value;
  return sum;
}
