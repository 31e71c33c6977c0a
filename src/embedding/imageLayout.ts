/**
 * Layout of the maps of ResNet34 in GPU memory: axes (window, padded frame, padded frequency, channel). Each window has one frame of zeros
 * before its own, which is also the padding after the window before; one more is after the last window. The first and last frequency are zeros.
 */
import { type MapSize, mapSizes, type ResnetGraph } from './resnetGraph';

/** Columns of zeros around the frequencies of a frame. */
export const PADDING_COLUMNS = 2;

/** Maximum size of the maps of a batch in bytes: one window already fills a GPU with the first layers, and six with the last. */
export const MAX_MAP_BYTES = 2 ** 28;

/** Number of values of a frame of a map, with padding. */
export const frameLength = ({ numFrequencies, numChannels }: Omit<MapSize, 'numFrames'>): number => (numFrequencies + PADDING_COLUMNS) * numChannels;

/** Number of values from a window of a map to the next: its frames and one of padding. */
export const windowLength = (size: MapSize): number => (size.numFrames + 1) * frameLength(size);

/** Place of the first value of the first window that is not padding, in values. */
export const firstPlace = (size: MapSize): number => frameLength(size) + size.numChannels;

/** Number of values of a map of a batch, with the padding after the last window. */
export const mapLength = (size: MapSize, numWindows: number): number => frameLength(size) + numWindows * windowLength(size);

/**
 * Sizes of the pairs of maps of a network: the end of a block and the map between its convolutions. The stem and the blocks without a
 * shortcut after it share a pair, and each block with a shortcut starts a new one.
 */
export function pairSizes(graph: ResnetGraph, numFrames: number, numMelBins: number): MapSize[] {
  const [ofStem, ...ofBlocks] = mapSizes(graph, numFrames, numMelBins);
  return [ofStem!, ...ofBlocks.filter((_, block) => graph.blocks[block]!.shortcut)];
}

/**
 * Maximum number of windows of a batch, at least 1.
 *
 * @param maxBindingBytes size of the largest buffer that a kernel can bind
 */
export function maxBatchWindows(graph: ResnetGraph, numFrames: number, numMelBins: number, maxBindingBytes: number): number {
  const lengths = pairSizes(graph, numFrames, numMelBins).map((size) => mapLength(size, 1));
  const all = 2 * lengths.reduce((sum, length) => sum + length, 0);
  return Math.max(1, Math.floor(Math.min(MAX_MAP_BYTES / (4 * all), maxBindingBytes / (4 * Math.max(...lengths)))));
}
