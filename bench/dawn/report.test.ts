import { expect, it } from 'vitest';
import { CLASSES, type Estimate } from './estimate';
import { estimateText, type Report, reportText } from './report';

const counts = { batches: 2, dispatches: 40, submits: 2, bytesUp: 1_280_000, bytesBack: 33_000 };
const report: Report = {
  machine: '2 × processor',
  node: '20.19.0',
  adapter: {
    vendor: 'maker',
    architecture: '',
    device: 'gpu',
    description: 'A GPU',
    isSoftware: true,
    features: ['subgroups'],
    limits: {
      maxBufferSize: 1,
      maxStorageBufferBindingSize: 2,
      maxComputeWorkgroupStorageSize: 3,
      maxComputeInvocationsPerWorkgroup: 4,
      maxComputeWorkgroupsPerDimension: 5,
      maxStorageBuffersPerShaderStage: 6,
      minUniformBufferOffsetAlignment: 7,
    },
  },
  peak: 100e9,
  runs: [{
    speed: 'fast',
    audioSeconds: 20,
    wallSeconds: 5,
    gpu: {
      fbank: { ...counts, seconds: 0, flops: 0 },
      segmentation: { ...counts, seconds: 2, flops: 50e9 },
      embedding: { ...counts, batches: 0, seconds: 1, flops: 10e9 },
    },
    clusteringSeconds: 0.5,
    restSeconds: 0.25,
    numWindows: 11,
    numEmbeddings: 3,
    backend: 'WebGPU was requested',
  }],
  parity: { speed: 'fast', audioSeconds: 20, numFrames: 1178, differingFrames: 2, numEmbeddings: 3, leastCosine: 0.99999951, unmatchedEmbeddings: 0, numTurns: 4, differingTurns: 1 },
};

it('prints rates, shares of the peak and dispatches per batch', () => {
  const lines = reportText(report).split('\n').map((line) => line.trim().replace(/ {2,}/g, ' | '));
  expect(lines[0]).toBe('adapter (software: its times say nothing about a GPU)');
  expect(lines).toEqual(expect.arrayContaining([
    'architecture: -',
    'maxBufferSize: 1',
    'peak: 100.0 GFLOP/s',
    '20.0 s of audio, fast: 4.00 times real time; 11 windows, 3 embeddings',
    'segmentation | 2.000 | 0.10000 | 50.0 | 25.0 | 25.0 % | 40 | 20.0 | 2 | 2 | 1.28 | 0.03',
    'embedding | 1.000 | 0.05000 | 10.0 | 10.0 | 10.0 % | 40 | - | 0 | 2 | 1.28 | 0.03',
    'wall | 5.000 | 0.25000',
    'frames with another class: 2 of 1178',
    'least cosine of embeddings: 0.999999510, of 3; 0 in one run only',
    'differing turns: 1 of 4',
  ]));
  expect(reportText({ ...report, adapter: { ...report.adapter, isSoftware: false }, parity: null })).not.toMatch(/software|parity/);
});

it('marks estimates, with the assumed rates and the sum of the stages', () => {
  const work = { flops: 1e9, bytes: 2e9, dispatches: 3, batches: 4, transferred: 5e6, recurrence: null };
  const one: Estimate = {
    gpu: CLASSES[0]!,
    embedding: 'model',
    speed: 'exact',
    audioSeconds: 3600,
    work: { fbank: work, segmentation: work, embedding: work },
    seconds: { fbank: 1, segmentation: 2, embedding: 3 },
  };
  const text = estimateText([one]);
  expect(text).toMatch(/^ESTIMATE, not a measurement/);
  expect(text).toMatch(/integrated +model +exact +60\.0 +1\.00 +2\.00 +3\.00 +6\.00 +600 +20 +yes$/m);
  const slow = { ...one, speed: 'fast', seconds: { fbank: 1, segmentation: 2, embedding: 7.01 } } as const;
  expect(estimateText([slow])).toMatch(/10\.01 +360 +10 +no$/m);
  expect(estimateText([{ ...slow, audioSeconds: 600 }])).toMatch(/10\.01 +60 +- +-$/m);
  expect(text).toMatch(/integrated +model +exact +60\.0 +fbank +1 +2\.0 +3 +4 +5$/m);
});
