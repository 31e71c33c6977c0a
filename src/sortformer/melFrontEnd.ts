import { Fbank, fbankGeometry } from '../features/fbank';
import type { DiarizationManifest } from '../store/diarizationManifest';
import type { FrontEnd } from './sampleFramer';

/** The filterbank of a model on the CPU. */
export function cpuFrontEnd({ fbank: facts, sampleRate }: Pick<DiarizationManifest, 'fbank' | 'sampleRate'>): FrontEnd {
  const fbank = new Fbank(facts, sampleRate);
  const { hopSamples, frameSamples, fftSize } = fbankGeometry(facts, sampleRate);
  return {
    sampleRate,
    numMelBins: facts.numMelBins,
    hopSamples,
    windowSamples: frameSamples,
    fftSize,
    melFrames: (samples, centerSamples, numFrames) => fbank.computeFrom(samples, centerSamples, numFrames).data,
  };
}
