import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyWith } from '../../src/onnx/nodes';
import { encodeOnnx, parseOnnx } from '../../src/onnx/model';
import { parseManifest } from '../../src/store/manifest';
import { embeddingMetadata, writeSherpaModels, type SherpaModels } from './sherpaModels';

let folder: string;
let models: SherpaModels;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
  models = writeSherpaModels('segmentation-3.0', 'campplus-zh-en', folder);
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const metadataOf = (path: string): Record<string, string> =>
  Object.fromEntries(parseOnnx(readFileSync(path), path).metadataProps.map(({ key, value }) => [key, value]));

describe('writeSherpaModels', () => {
  // As in scripts/pyannote/segmentation/export-onnx.py of sherpa-onnx, for the same checkpoint.
  it('has the same segmentation metadata as its own export', () => {
    expect(metadataOf(models.segmentation)).toEqual({
      sample_rate: '16000',
      window_size: '160000',
      receptive_field_size: '991',
      receptive_field_shift: '270',
      num_speakers: '3',
      powerset_max_classes: '2',
      num_classes: '7',
    });
  });

  // As in scripts/3dspeaker/export-onnx.py of sherpa-onnx.
  it('has the same CAM++ metadata as its own export', () => {
    expect(metadataOf(models.embedding)).toEqual({
      framework: '3d-speaker',
      language: 'Chinese-English',
      sample_rate: '16000',
      output_dim: '192',
      normalize_samples: '1',
      feature_normalize_type: 'global-mean',
    });
  });

  it('uses the same window hop as Voxlane', () => {
    expect(models).toMatchObject({ sampleRate: 16_000, windowShiftRatio: 0.1 });
  });

  it.each(['segmentation', 'embedding'] as const)('changes nothing else in the %s', (name) => {
    const id = { segmentation: 'segmentation-3.0', embedding: 'campplus-zh-en' }[name];
    const original = readFileSync(`models/${id}/model.onnx`);
    const { metadataProps } = parseOnnx(original, id);
    const undone = copyWith(parseOnnx(readFileSync(models[name]), id), { metadataProps });
    expect(Buffer.compare(encodeOnnx(undone), original)).toBe(0);
  });
});

describe('embeddingMetadata', () => {
  const read = (): unknown => JSON.parse(readFileSync('models/campplus-zh-en/manifest.json', 'utf8'));
  const manifest = parseManifest('embedding', read(), 'campplus-zh-en');
  const metadataWith = (changes: Partial<typeof manifest.fbank>) =>
    embeddingMetadata({ ...manifest, fbank: { ...manifest.fbank, ...changes } });

  it('distinguishes samples in [-1, 1] from 16-bit samples, and features without mean subtraction', () => {
    expect(metadataWith({ sampleScale: 32_768 }).normalize_samples).toBe('0');
    expect(metadataWith({ subtractMean: false }).feature_normalize_type).toBe('');
  });

  it('rejects a filterbank that sherpa-onnx does not support', () => {
    expect(() => metadataWith({ windowType: 'hamming' })).toThrow(/hamming window/);
    expect(() => metadataWith({ sampleScale: 2 })).toThrow(/scaled by 2/);
  });
});
