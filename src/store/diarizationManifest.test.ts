import { describe, expect, it } from 'vitest';
import nemotron from '../../models/nemotron-3-diarization/manifest.json';
import { parseDiarizationManifest } from './diarizationManifest';

const changed = (change: object): unknown => ({ ...nemotron, ...change });

describe('parseDiarizationManifest', () => {
  it('reads the shipped manifest', () => {
    const { fbank, weights, tensors } = parseDiarizationManifest(nemotron, 'a');
    expect(fbank).toMatchObject({ numMelBins: 128, snipEdges: false, logOffset: 2 ** -24 });
    expect(weights).toMatchObject({ bytes: 396_954_592, numTensors: 417 });
    expect(tensors.features.shape).toEqual([null, fbank.numMelBins]);
  });

  it.each([
    ['task', { task: 'embedding' }],
    ['fbank.snipEdges', { fbank: { ...nemotron.fbank, snipEdges: true } }],
    ['fbank.logOffset', { fbank: { ...nemotron.fbank, logOffset: 0 } }],
    ['fbank.windowType', { fbank: { ...nemotron.fbank, windowType: 'hamming' } }],
    ['weights.sha256', { weights: { ...nemotron.weights, sha256: 'x' } }],
    ['tensors.valid', { tensors: { ...nemotron.tensors, valid: undefined } }],
  ])('rejects another %s', (field, change) => {
    expect(() => parseDiarizationManifest(changed(change), 'a')).toThrow(
      expect.objectContaining({ code: 'model-invalid', problem: expect.stringContaining(`${field}: `) as string }),
    );
  });
});
