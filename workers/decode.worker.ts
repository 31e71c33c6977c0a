import { wrap } from 'comlink';
import { decodeAll, decoderFor, openAudio, openChannels, openStream, type OpenAudio } from '../src/audio/decode';
import { PEAK_SAMPLE_RATE, readPeaks } from '../src/audio/peaks';
import { continueElsewhere } from '../src/audio/secondDecoder';
import { SampleReader } from '../src/audio/sampleReader';
import { type AudioWindow, cutWindows, takeBatch } from '../src/audio/windows';
import type { AudioFile, DecodeOptions } from '../src/audio/types';
import { VoxlaneError } from '../src/util/errors';
import { openPath } from '../src/util/host';
import type { DecodeSource, DecodeWorkerApi, SecondDecoder } from './contracts';
import type { RecordingNote } from '../src/audio/notes';
import { moved, pullThrough, serve, timed } from './protocol';

interface OpenRecording {
  readonly audio: OpenAudio;
  readonly progress: { readonly decodedSamples: number };
  /** Null if samples are read without windows. */
  readonly windows: AsyncIterator<AudioWindow> | null;
  readonly samples: SampleReader;
}

let recording: OpenRecording | undefined;
/** Of the last opened recording. */
let notes: () => readonly RecordingNote[] = () => [];
let peaks: AsyncIterator<Int16Array, void> | undefined;

serve<DecodeWorkerApi>({
  decoderFor: async (file, track) => decoderFor(await blobOf(file), track),
  async open(source, decodeOptions, options, second) {
    const audio = await openNoted(source, decodeOptions, second);
    const progress = { decodedSamples: 0 };
    const pieces = countSamples(audio.pieces(), progress);
    recording = { audio, progress, windows: options && cutWindows(pieces, options), samples: new SampleReader(pieces) };
    return audio.facts;
  },
  async next(count) {
    const start = performance.now();
    if (!recording?.windows) return null;
    const { windows, progress } = recording;
    const batch = await takeBatch(windows, count);
    if (!batch) return null;
    const { decodedSamples } = progress;
    return moved({ ...batch, decodedSamples, seconds: (performance.now() - start) / 1000 }, batch.windows);
  },
  async nextSamples(count) {
    if (!recording) return null;
    const { samples: reader, progress } = recording;
    const [samples, seconds] = await timed(() => reader.next(count));
    return samples && moved({ samples, decodedSamples: progress.decodedSamples, seconds }, samples);
  },
  notes: () => notes(),
  close() {
    recording?.audio.close();
    recording = undefined;
  },
  async decodeAll(source, options) {
    const samples = await decodeAll(await openNoted(source, options));
    return moved(samples, samples);
  },
  async openPeaks(source, track) {
    const audio = await openSource(source, { sampleRate: PEAK_SAMPLE_RATE, ...(track !== undefined && { track }) });
    peaks = readPeaks(audio.pieces());
  },
  async nextPeaks() {
    if (!peaks) throw new VoxlaneError({ code: 'disposed', problem: 'No recording is open', expected: 'openPeaks() before nextPeaks()' });
    const { value } = await peaks.next();
    return value ? moved(value, value) : null;
  },
});

const blobOf = (file: AudioFile): Blob | Promise<Blob> => (file.kind === 'file' ? file.blob : openPath(file.path));

/** Opens a recording whose notes are wanted. */
async function openNoted(source: DecodeSource, options: DecodeOptions, second: MessagePort | null = null): Promise<OpenAudio> {
  const opened = await openSource(source, options);
  const audio = second ? continueElsewhere(opened, () => openAgain(second, options)) : opened;
  const given = 'notes' in source ? source.notes : [];
  notes = () => [...given, ...audio.notes()];
  return audio;
}

/** The rest of a recording, after its decoder has failed. */
async function openAgain(port: MessagePort, options: DecodeOptions): Promise<OpenAudio | null> {
  const source = await wrap<SecondDecoder>(port)();
  if (!source) return null;
  const audio = await openSource(source, options);
  return { ...audio, notes: () => [...source.notes, ...audio.notes()] };
}

async function openSource(source: DecodeSource, options: DecodeOptions): Promise<OpenAudio> {
  switch (source.kind) {
    case 'file':
    case 'path':
      return openAudio(await blobOf(source), options);
    case 'samples':
      return openChannels([source.samples], source.sampleRate, options);
    case 'stream':
      return openStream(pullThrough(source.port), source.sampleRate, options);
    case 'channels':
      return openChannels(source.channels, source.sampleRate, options);
  }
}

async function* countSamples(
  pieces: AsyncIterable<Float32Array>,
  progress: { decodedSamples: number },
): AsyncGenerator<Float32Array> {
  for await (const piece of pieces) {
    progress.decodedSamples += piece.length;
    yield piece;
  }
}
