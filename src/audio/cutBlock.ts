import type { PlanarBlock } from './blocks';

/** The part of a block within `[from, to)`, moved by `shift`, all in samples; null if nothing is left. */
export function cutBlock({ startFrame, channels }: PlanarBlock, from: number, to: number, shift: number): PlanarBlock | null {
  const length = channels[0]?.length ?? 0;
  const start = Math.max(0, from - startFrame);
  const end = Math.min(length, to - startFrame);
  if (end <= start) return null;
  return { startFrame: startFrame + start + shift, channels: channels.map((channel) => channel.subarray(start, end)) };
}
