import { AudioSampleSink, EncodedPacketSink, type AudioSample, type InputAudioTrack } from 'mediabunny';
import { decodeFailure, type PlanarBlock } from './blocks';
import { GapClock } from './gaps';

/** Which part of a track is decoded, and how its clock maps to the recording's. */
export interface DecodeRange {
  /** On the track's clock, in seconds; -Infinity: from its first packet. */
  readonly from: number;
  /** On the track's clock, in seconds. */
  readonly to: number;
  /** Time on the track's clock at which the recording starts, in seconds. */
  readonly offsetSeconds: number;
  readonly sampleRate: number;
  readonly codec: string;
}

/**
 * Decodes a track from the packet at `from` on.
 *
 * @returns place on the recording's time axis after the last sample that was decoded
 * @throws VoxlaneError `audio-decode`
 */
export async function* decodeTrack(
  track: InputAudioTrack,
  { from, to, offsetSeconds, sampleRate, codec }: DecodeRange,
): AsyncGenerator<PlanarBlock, number, undefined> {
  let reached = 0;
  const packets = new EncodedPacketSink(track);
  const first = from > -Infinity ? await packets.getPacket(from, { metadataOnly: true }) : null;
  const clock = new GapClock(packets.packets(first ?? undefined, undefined, { metadataOnly: true }), codec);
  try {
    // Behind a gap the decoder's clock is early. So it is given no end, and for its start the packet's own time.
    for await (const sample of new AudioSampleSink(track).samples(first?.timestamp ?? -Infinity)) {
      try {
        if (sample.sampleRate !== sampleRate) {
          throw new Error(`the sample rate changes from ${sampleRate} to ${sample.sampleRate} Hz`);
        }
        const time = await clock.place(sample.timestamp, sample.duration);
        if (time >= to) return reached;
        const startFrame = Math.round((time - offsetSeconds) * sampleRate);
        reached = startFrame + sample.numberOfFrames;
        yield { startFrame, channels: planes(sample) };
      } finally {
        // The decoder has few buffers; one that is not given back stops it.
        sample.close();
      }
    }
  } catch (cause) {
    throw decodeFailure(reached, sampleRate, cause);
  } finally {
    await clock.close();
  }
  return reached;
}

function planes(sample: AudioSample): Float32Array[] {
  return Array.from({ length: sample.numberOfChannels }, (_, planeIndex) => {
    const plane = new Float32Array(sample.numberOfFrames);
    sample.copyTo(plane, { planeIndex, format: 'f32-planar' });
    return plane;
  });
}
