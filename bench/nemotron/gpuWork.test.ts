import { describe, expect, it } from 'vitest';
import nemotron from '../../models/nemotron-3-diarization/manifest.json';
import { melFilters } from '../../src/features/fbank';
import { parseStreamingSettings } from '../../src/store/streamingSettings';
import { NARROW, narrowGraph } from '../../test/nemotron/fittedNarrow';
import { fbankFlopsPerFrame } from '../profile/work';
import { workOfDispatch } from './dispatchWork';
import { countMode, openCounted } from './gpuWork';

const settings = parseStreamingSettings(nemotron.streaming, NARROW.id);

describe('one narrow layer', () => {
  // Widths: 1,024 mel values, 128 channels in 2 heads of 64, 512 units, 192 channels in the head, 8 mel frames, 8 speakers.
  const ofMelFrame = fbankFlopsPerFrame(NARROW.fbank, NARROW.sampleRate);
  const [values, hidden, units, head, speakers] = [8 * 128, 128, 512, 192, 8] as const;
  const layerOf = (frames: number): number => frames * (hidden * 3 * hidden + hidden * hidden + 2 * hidden * units) + 2 * frames * frames * hidden;
  const headOf = (frames: number, scored: number): number => frames * hidden * head + scored * (3 * head * 8 * head + 8 * (head * head + head * speakers));

  it('has the work of the first chunk, computed by hand', async () => {
    const counted = await openCounted(narrowGraph(1), NARROW, 'float32');
    const { perAudioSecond, ...facts } = await countMode(counted, { settings, mode: 'low_latency', frameSeconds: 0.08, warmupSeconds: 0, countedSeconds: 0.72 });
    expect(facts).toEqual({ mode: 'low_latency', chunkSeconds: 0.72, dispatchesPerChunk: 1 + 1 + 11 + 8 });
    const ofChunk = (value: number): number => value * 0.72;
    // 9 frames and 4 of look-ahead. All are scored, because the state is empty.
    const multiplyAdds = 13 * values * hidden + layerOf(13) + headOf(13, 13);
    expect(ofChunk(perAudioSecond.flops)).toBeCloseTo(2 * multiplyAdds + 104 * ofMelFrame, 3);

    // Bytes / 4: inputs, outputs, weights with padded columns, biases.
    const product = (rows: number, inputs: number, columns: number, padded = columns, isAdded = false): number =>
      rows * inputs + rows * columns * (isAdded ? 2 : 1) + inputs * padded + padded;
    const norm = 2 * 13 * hidden + 2 * hidden;
    // The last of 104 mel frames is centered at sample 103 · 160, and has 200 samples after that.
    const numSamples = 103 * 160 + 200;
    const tables = 512 + 2 * 512 + 3 * 128 + melFilters(NARROW.fbank, NARROW.sampleRate, 512).reduce((sum, filter) => sum + filter.weights.length, 0);
    const parts = [
      numSamples + tables + 104 * 128,
      product(13, values, hidden),
      norm,
      // The layer: attention reads queries, keys, values and the rotation, and a check reads its result.
      norm, product(13, hidden, 3 * hidden), 13 * (3 * hidden + 64 + hidden), 13 * hidden, product(13, hidden, hidden, hidden, true),
      norm, product(13, hidden, units), 2 * 13 * units, 13 * units, product(13, units, hidden, hidden, true), 13 * hidden,
      norm, product(13, hidden, head),
      // Three taps: the frames with one on both sides. A check reads the upsampled frames.
      (13 + 2) * head + 13 * 8 * head + 3 * head * 8 * head + 8 * head, 13 * 8 * head,
      product(8 * 13, head, head), product(8 * 13, head, speakers, 32),
      // The marking reads a flag.
      1,
    ];
    expect(ofChunk(perAudioSecond.bytes) / 4).toBeCloseTo(parts.reduce((sum, part) => sum + part, 0), 3);
    expect(ofChunk(perAudioSecond.submits)).toBeCloseTo(2, 6);
    expect(ofChunk(perAudioSecond.bytesBack)).toBeCloseTo(4 * (13 * hidden + 13 * 8 * speakers), 3);
    // Samples, embeddings, and the parameters of 21 dispatches, each with the alignment of the device.
    expect(ofChunk(perAudioSecond.bytesUp)).toBeCloseTo(4 * (numSamples + 13 * hidden) + 21 * 256, 3);
  });

  it('attends to the whole cache, the FIFO and the chunk if the state is full', async () => {
    const counted = await openCounted(narrowGraph(1), NARROW, 'float16');
    const { perAudioSecond, chunkSeconds } = await countMode(counted, { settings, mode: 'offline', frameSeconds: 0.08, warmupSeconds: 60, countedSeconds: 60 });
    // 264 frames of the cache, 40 of the FIFO, 340 of the chunk, 40 of look-ahead. Those of the cache are not scored.
    const multiplyAdds = 340 * values * hidden + layerOf(684) + headOf(684, 684 - 264);
    // The filterbank computes two mel frames before the first of a chunk.
    expect(perAudioSecond.flops * chunkSeconds).toBeCloseTo(2 * multiplyAdds + (340 * 8 + 2) * ofMelFrame, 1);
    expect(perAudioSecond.dispatches * chunkSeconds).toBeCloseTo(21, 6);
  });
});

it('fails for a kernel that it cannot count', () => {
  const dispatch = { kernel: 'fft', parameters: new Uint32Array(24), bufferBytes: [], workgroups: [1, 1, 1] } as const;
  expect(() => workOfDispatch(dispatch, 0)).toThrow('fft');
  expect(() => workOfDispatch({ ...dispatch, kernel: 'surveyMap' }, 0)).toThrow('table');
});
