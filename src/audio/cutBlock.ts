import type { PlanarBlock } from './blocks';

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
