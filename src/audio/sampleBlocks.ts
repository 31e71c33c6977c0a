import type { PlanarBlock } from './blocks';

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
