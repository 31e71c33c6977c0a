/**
 * Decoders need some packets before they answer: Vorbis two, AAC its priming. A decoder that keeps its answers until
 * `flush()` would hold a whole recording in memory, so it counts as none.
 */
const PROBED_PACKETS = 16;
/** Far more than a busy machine takes for as many packets. A "no" that comes too soon costs memory, nothing else. */
const TIME_LIMIT_SECONDS = 5;

/** What the probe needs of WebCodecs; tests bring their own. */
export type DecoderConstructor = new (callbacks: AudioDecoderInit) => Pick<AudioDecoder, 'configure' | 'decode' | 'flush' | 'close'>;

/**
 * Whether a decoder gives sound for the first packets of a track, instead of only claiming that it can.
 *
 * @param packets of the track, from its first on
 * @returns false if the decoder throws, reports an error, or gives nothing in time
 */
export async function probeDecoder(
  config: AudioDecoderConfig,
  packets: AsyncIterable<EncodedAudioChunk>,
  Decoder: DecoderConstructor = AudioDecoder,
): Promise<boolean> {
  let decoder: InstanceType<DecoderConstructor> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    return await new Promise<boolean>((resolve) => {
      const refuse = (): void => {
        resolve(false);
      };
      timer = setTimeout(refuse, 1000 * TIME_LIMIT_SECONDS);
      decoder = new Decoder({
        output(sound) {
          const isSound = sound.numberOfFrames > 0;
          sound.close();
          if (isSound) resolve(true);
        },
        error: refuse,
      });
      decoder.configure(config);
      feed(decoder, packets).then((isWhole) => {
        // All packets were flushed, and none gave sound.
        if (isWhole) refuse();
      }, refuse);
    });
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
    closeQuietly(decoder);
  }
}

/** @returns whether the packets were all there are; then they are flushed */
async function feed(decoder: Pick<AudioDecoder, 'decode' | 'flush'>, packets: AsyncIterable<EncodedAudioChunk>): Promise<boolean> {
  let fed = 0;
  for await (const packet of packets) {
    decoder.decode(packet);
    fed += 1;
    if (fed === PROBED_PACKETS) return false;
  }
  await decoder.flush();
  return true;
}

/** Closes a decoder. One that reported an error is closed already and throws. */
function closeQuietly(decoder: Pick<AudioDecoder, 'close'> | undefined): void {
  try {
    decoder?.close();
  } catch {
    // It is closed already.
  }
}
