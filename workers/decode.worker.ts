import { needsPageDecoder, openAudio, openChannels, openSamples, type OpenAudio } from '../src/audio/decode';
import { takeBatch } from '../src/audio/batches';
import { cutWindows, type AudioWindow } from '../src/audio/windows';
import type { DecodeSource, DecodeWorkerApi } from './contracts';
import { moved, serve } from './expose';

interface OpenRecording {
  readonly audio: OpenAudio;
  readonly windows: AsyncIterator<AudioWindow>;
}

let recording: OpenRecording | undefined;
let decodedSamples = 0;

serve<DecodeWorkerApi>({
  needsPageDecoder,
  async open(source, decodeOptions, options) {
    const audio = await openSource(source, decodeOptions);
    decodedSamples = 0;
    recording = { audio, windows: cutWindows(countSamples(audio.pieces()), options) };
    return audio.facts;
  },
  async next(count) {
    const start = performance.now();
    if (!recording) return null;
    const batch = await takeBatch(recording.windows, count);
    return batch && moved({ ...batch, decodedSamples, seconds: (performance.now() - start) / 1000 }, batch.windows);
  },
  close() {
    recording?.audio.close();
    recording = undefined;
  },
});

function openSource(source: DecodeSource, options: Parameters<typeof openAudio>[1]): Promise<OpenAudio> | OpenAudio {
  switch (source.kind) {
    case 'file':
      return openAudio(source.blob, options);
    case 'samples':
      return openSamples(source.samples, options);
    case 'channels':
      return openChannels(source.channels, source.sampleRate, options);
  }
}

async function* countSamples(pieces: AsyncIterable<Float32Array>): AsyncGenerator<Float32Array> {
  for await (const piece of pieces) {
    decodedSamples += piece.length;
    yield piece;
  }
}
