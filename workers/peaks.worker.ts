import { openAudio, openChannels } from '../src/audio/decode';
import { PEAK_SAMPLE_RATE, PeakReducer, SAMPLES_PER_PEAK } from '../src/audio/peaks';
import { VoxlaneError } from '../src/util/errors';
import { moved, serve } from './protocol';
import type { PeaksWorkerApi } from './contracts';

/**
 * One minute of audio per message: the first message arrives soon, and three hours take about two hundred messages.
 */
const PEAKS_PER_MESSAGE = (60 * PEAK_SAMPLE_RATE) / SAMPLES_PER_PEAK;

let chunks: AsyncGenerator<Int16Array, void, undefined> | undefined;

serve<PeaksWorkerApi>({
  async open(source) {
    const options = { sampleRate: PEAK_SAMPLE_RATE };
    const audio = source.kind === 'file' ? await openAudio(source.blob, { ...options, ...(source.track !== undefined && { track: source.track }) }) : openChannels(source.channels, source.sampleRate, options);
    chunks = gathered(audio.pieces());
  },
  async next() {
    if (!chunks) throw new VoxlaneError({ code: 'disposed', problem: 'No recording is open', expected: 'open() before next()' });
    const { value } = await chunks.next();
    return value ? moved(value, value) : null;
  },
});

/** Groups peaks into longer messages: a decoder's blocks are only some milliseconds long. */
async function* gathered(pieces: AsyncIterable<Float32Array>): AsyncGenerator<Int16Array, void, undefined> {
  const reducer = new PeakReducer();
  let message = new Int16Array(2 * PEAKS_PER_MESSAGE);
  let filled = 0;
  const take = function* (extremes: Int16Array): Generator<Int16Array, void, undefined> {
    for (let at = 0; at < extremes.length; ) {
      const part = extremes.subarray(at, at + message.length - filled);
      message.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < message.length) continue;
      yield message;
      message = new Int16Array(2 * PEAKS_PER_MESSAGE);
      filled = 0;
    }
  };
  for await (const piece of pieces) yield* take(reducer.append(piece));
  yield* take(reducer.flush());
  if (filled > 0) yield message.slice(0, filled);
}
