import { describe, expect, it } from 'vitest';
import type { FbankOptions } from '../../src/features/fbank';
import { demandsOf, fbankFlopsPerFrame } from './work';

describe('fbankFlopsPerFrame', () => {
  it('is the sum of its steps', () => {
    // Frames of 4 samples and an FFT of 4 points have 2 bins. The bin at 0 Hz is at the filter's lower edge.
    const facts: FbankOptions = {
      numMelBins: 1,
      frameLengthMs: 4,
      frameShiftMs: 2,
      windowType: 'hamming',
      preemphasis: 0.97,
      removeDcOffset: true,
      snipEdges: true,
      lowFrequencyHz: 0,
      highFrequencyHz: 0,
      dither: 0,
      sampleScale: 1,
      subtractMean: true,
    };
    const [conditioning, fft, power, mel, logarithm] = [6 * 4, 5 * 4 * 2, 3 * 2, 2 * 1, 1];
    expect(fbankFlopsPerFrame(facts, 1000)).toBe(conditioning + fft + power + mel + logarithm);
  });
});

describe('demandsOf', () => {
  const counts = {
    durationSeconds: 10,
    numWindows: 3,
    windowSamples: 160,
    fbankFrames: 90,
    voiceFrames: [10, 25],
    timings: { segmentation: 5, embedding: 1 },
    backend: { name: 'wasm', adapter: null, threads: 1, reason: '', selfCheck: null },
  } as const;
  const flops = {
    segmentation: (numSamples: number) => 2 * numSamples,
    fbank: (numFrames: number) => 7 * numFrames,
    embedding: (numFrames: number) => numFrames ** 2,
  };

  it('counts windows, frames and local speakers by length, per second of audio', () => {
    expect(demandsOf(counts, flops, null).map((demand) => [demand.stage, demand.flops, demand.rtf])).toEqual([
      ['segmentation', (3 * 320) / 10, 0.5],
      ['fbank', 63, 0],
      ['embedding', 72.5, 0.1],
    ]);
  });

  it('has GPU counters if a GPU was used, zeros for idle stages, and null otherwise', () => {
    const gpu = { segmentation: { dispatches: 40, submits: 20, bytesUp: 1000, bytesBack: 500 } };
    const [segmentation, fbank] = demandsOf(counts, flops, gpu);
    expect(segmentation).toMatchObject({ dispatches: 4, submits: 2, bytesUp: 100, bytesBack: 50 });
    expect(fbank).toMatchObject({ dispatches: 0, bytesBack: 0 });
    expect(demandsOf(counts, flops, null)[0]).toMatchObject({ dispatches: null, bytesUp: null });
  });
});
