/**
 * The shipped golden bundles on the WASM runtime and the CPU filterbank. Bundles must be readable, and a backend that is
 * known to be correct must pass each of them clearly.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ort from 'onnxruntime-web';
import { describe, expect, it } from 'vitest';
import campplus from '../../models/campplus-zh-en/manifest.json';
import segmentation from '../../models/segmentation-3.0/manifest.json';
import { NO_SHARED, SHARED } from '../../test/shared';
import { maskedFeatures } from '../embedding/mask';
import { Fbank } from '../features/fbank';
import { parseManifest } from '../store/manifest';
import { readBundle, tensorNamed, type GoldenBundle, type GoldenStage, type GoldenTensor } from './files/bundle';
import { compareTensors, judge, type Comparison } from './compare';
import { describeUnless } from '../../test/skips';

const SEGMENTATION = parseManifest('segmentation', segmentation, 'segmentation-3.0');
const CAMPPLUS = parseManifest('embedding', campplus, 'campplus-zh-en');

const openBundle = (path: string): GoldenBundle => readBundle(readFileSync(path));

/** Runs a model on a golden tensor. */
async function run(manifest: typeof SEGMENTATION | typeof CAMPPLUS, input: GoldenTensor): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(readFileSync(join('models', manifest.id, manifest.file.name)));
  const feeds = { [manifest.input.name]: new ort.Tensor(input.data, input.shape) };
  const { [manifest.output.name]: output } = await session.run(feeds);
  return output!.data as Float32Array;
}

/** Compares, prints the figures and expects a pass. */
function expectPass(label: string, actual: Float32Array, golden: GoldenStage): Comparison {
  const comparison = compareTensors(actual, golden.data, golden);
  const { maxAbs, meanAbs, cosine, argmaxAgreement } = comparison;
  const figures = Object.entries({ 'max abs': maxAbs, 'mean abs': meanAbs, '1 - cosine': 1 - cosine }).map(
    ([name, value]) => `${name} ${value.toExponential(1)}`,
  );
  if (argmaxAgreement !== undefined) figures.push(`argmax ${argmaxAgreement}`);
  console.log(`${label} ${golden.name} (${golden.shape.join(', ')}): ${figures.join(', ')}`);
  expect(judge(comparison, golden.tolerance)).toBe('pass');
  return comparison;
}

async function expectSegmentationPasses(label: string, bundle: GoldenBundle): Promise<void> {
  const scores = await run(SEGMENTATION, tensorNamed(bundle.inputs, 'waveform'));
  const { argmaxAgreement } = expectPass(label, scores, tensorNamed(bundle.stages, 'classifier'));
  expect(argmaxAgreement).toBeGreaterThanOrEqual(0.999);
}

async function expectCampplusPasses(label: string, bundle: GoldenBundle): Promise<void> {
  const waveform = tensorNamed(bundle.inputs, 'waveform');
  const golden = tensorNamed(bundle.stages, 'fbank');
  const features = new Fbank(CAMPPLUS.fbank, CAMPPLUS.sampleRate).compute(waveform.data);
  const everyFrame = new Uint8Array(features.numFrames).fill(1);
  expectPass(label, maskedFeatures(features, everyFrame, CAMPPLUS.fbank.subtractMean), golden);
  expectPass(label, await run(CAMPPLUS, golden), tensorNamed(bundle.stages, 'embedding'));
}

describe('public/goldens', () => {
  it('segmentation-3.0: the scores on WASM', async () => {
    const bundle = openBundle('public/goldens/segmentation-3.0.zip');
    expect(bundle).toMatchObject({ model: SEGMENTATION.id, source: { checkpoint_sha256: SEGMENTATION.origin.sha256 } });
    expect(bundle.stages.map(({ name }) => name)).toEqual(['sincnet', 'lstm', 'linear1', 'linear2', 'classifier']);
    await expectSegmentationPasses('segmentation-3.0', bundle);
  });

  it('campplus-zh-en: the features on the CPU, the embedding on WASM', async () => {
    const bundle = openBundle('public/goldens/campplus-zh-en.zip');
    expect(bundle).toMatchObject({ model: CAMPPLUS.id, source: { checkpoint_sha256: CAMPPLUS.origin.sha256 } });
    const names = ['fbank', 'head', 'tdnn', 'block1', 'block2', 'block3', 'pooling', 'embedding'];
    expect(bundle.stages.map(({ name }) => name)).toEqual(names);
    await expectCampplusPasses('campplus-zh-en', bundle);
  });
});


describeUnless(NO_SHARED)('bundles made by others', () => {
  it('seg_dev00', async () => {
    await expectSegmentationPasses('seg_dev00', openBundle(join(SHARED, 'goldens', 'seg_dev00.zip')));
  });

  it('cam_dev00', async () => {
    await expectCampplusPasses('cam_dev00', openBundle(join(SHARED, 'goldens', 'cam_dev00.zip')));
  });
});
