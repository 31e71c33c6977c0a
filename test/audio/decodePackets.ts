/** Decodes packets directly, with one of our decoders or with FFmpeg. */
import type { AudioSample, CustomAudioDecoder, EncodedPacket } from 'mediabunny';
import { concatenate } from '../../src/util/values';

/** A decoded block. */
export interface DecodedBlock {
  /** In seconds. */
  readonly timestamp: number;
  /** Axes (channel, sample). */
  readonly channels: Float32Array[];
}

/** Calls a decoder as mediabunny does. @throws the error that the decoder reports */
export async function decodePackets(decoder: CustomAudioDecoder, config: AudioDecoderConfig, packets: readonly EncodedPacket[]): Promise<DecodedBlock[]> {
  const blocks: DecodedBlock[] = [];
  const onSample = (sample: AudioSample): void => {
    blocks.push({ timestamp: sample.timestamp, channels: planesOf(sample) });
    sample.close();
  };
  const errors: unknown[] = [];
  Object.assign(decoder, { config, onSample, onError: (error: unknown) => { errors.push(error); } });
  await decoder.init();
  for (const packet of packets) await decoder.decode(packet);
  await decoder.flush();
  await decoder.close();
  if (errors.length > 1) throw new Error(`${errors.length} errors in place of one`);
  for (const error of errors) throw error;
  return blocks;
}

/** Decodes with FFmpeg, in the optional package @napi-rs/webcodecs. Axes (channel, sample). */
export async function decodeWithFfmpeg(config: AudioDecoderConfig, packets: readonly EncodedPacket[]): Promise<Float32Array[]> {
  const { AudioDecoder, EncodedAudioChunk } = await import('@napi-rs/webcodecs');
  const blocks: DecodedBlock[] = [];
  let failure: Error | undefined;
  const decoder = new AudioDecoder({
    output(data) {
      blocks.push({ timestamp: data.timestamp, channels: planesOf(data) });
      data.close();
    },
    error(error) { failure = error; },
  });
  decoder.configure(config);
  for (const { data, timestamp, duration } of packets) {
    decoder.decode(new EncodedAudioChunk({ type: 'key', timestamp: Math.round(1e6 * timestamp), duration: Math.round(1e6 * duration), data }));
  }
  await decoder.flush();
  // The package reports the last blocks after `flush`, in later turns of the event loop.
  while (!failure && blocks.length < packets.length) await new Promise((resolve) => setTimeout(resolve, 1));
  if (failure) throw failure;
  decoder.close();
  return channelsOf(blocks);
}

/** Consecutive blocks as one. Axes (channel, sample). */
export function channelsOf(blocks: readonly DecodedBlock[]): Float32Array[] {
  return blocks[0]!.channels.map((_, channel) => concatenate(blocks.map(({ channels }) => channels[channel]!)));
}

function planesOf(sound: Pick<AudioSample | AudioData, 'numberOfChannels' | 'numberOfFrames' | 'copyTo'>): Float32Array[] {
  return Array.from({ length: sound.numberOfChannels }, (_, planeIndex) => {
    const plane = new Float32Array(sound.numberOfFrames);
    sound.copyTo(plane, { planeIndex, format: 'f32-planar' });
    return plane;
  });
}
