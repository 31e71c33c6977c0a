import { describe, expect, it } from 'vitest';
import type { CampplusGraph } from '../../src/embedding/campplusGraph';
import type { Convolution } from '../../src/onnx/values';
import { WINDOWS_PER_WORKGROUP as OF_KERNEL } from '../../src/segmentation/gpuLstm';
import type { PyannetGraph } from '../../src/segmentation/pyannetGraph';
import type { ResnetGraph } from '../../src/embedding/resnetGraph';
import {
  campplusDispatches,
  campplusWork,
  FBANK_DISPATCHES,
  layOut,
  outputSize,
  pyannetDispatches,
  pyannetWork,
  resnetBatchWindows,
  resnetDispatches,
  resnetWork,
  WINDOWS_PER_WORKGROUP,
} from './layers';
import { readModels, readResnetModel } from './models';

const convolution = (numIn: number, numOut: number, taps: number[], strides = taps.map(() => 1), pads = taps.map(() => 0)): Convolution => ({
  weight: new Float32Array(0),
  bias: new Float32Array(numOut),
  numIn,
  numOut,
  taps,
  strides,
  pads,
  dilations: taps.map(() => 1),
});
const tensor = (...shape: number[]) => ({ data: new Float32Array(0), shape });
const norm = { scale: new Float32Array(0), shift: new Float32Array(0), epsilon: 0 };

it('has the windows per workgroup of the kernel', () => {
  expect(WINDOWS_PER_WORKGROUP).toBe(OF_KERNEL);
});

it('counts the positions of a convolution', () => {
  expect(outputSize(160_000, convolution(1, 80, [251], [10]))).toBe(15_975);
  expect(outputSize(80, convolution(1, 32, [3, 3], [2, 1], [1, 1]))).toBe(40);
  expect(outputSize(10, { ...convolution(1, 1, [3], [1], [2]), dilations: [2] })).toBe(10);
});

describe('a small PyanNet', () => {
  const network: PyannetGraph = {
    waveNorm: norm,
    filters: [{ convolution: convolution(1, 4, [5], [2]), magnitude: true, poolSize: 3, norm, slope: 0.01 }],
    lstms: [{ input: tensor(2, 8, 4), recurrent: tensor(2, 8, 2), bias: tensor(2, 16) }],
    linears: [{ weight: tensor(4, 3), bias: new Float32Array(3), slope: 0.01 }],
    classifier: { weight: tensor(3, 7), bias: new Float32Array(7) },
    values: { filters: '', lstm: '', linears: [] },
  };
  const work = pyannetWork(network);

  it('has the multiply-adds and values of its layers', () => {
    // 23 samples: 10 positions of the filter, 3 frames.
    const filter = { products: 10 * 4 * 5, values: 23 + 2 * 3 * 4 };
    const inputs = { products: 3 * 4 * 16, values: 3 * (4 + 16) };
    const recurrence = { products: 3 * 2 * 8 * 2, values: 3 * (16 + 4) };
    const linears = { products: 3 * (4 * 3 + 3 * 7), values: 3 * (4 + 3 + 3 + 7) };
    const parts = [filter, inputs, recurrence, linears];
    expect(work.of(23).multiplyAdds).toBe(parts.reduce((sum, { products }) => sum + products, 0));
    expect(work.of(23).values).toBe(parts.reduce((sum, { values }) => sum + values, 2 * 23));
    expect(work.numWeights).toBe(4 * 5 + 2 * 8 * 4 + 2 * 8 * 2 + 12 + 21);
    expect(work.recurrence(23)).toEqual({ numFrames: 3, numLayers: 1, weightsPerStep: 16 });
  });

  it('has the dispatches of its kernels', () => {
    expect(pyannetDispatches(network)).toBe(1 + 4 + 3 + 2 + 1 + 1);
  });
});

describe('a small CAM++', () => {
  const block = {
    layers: [{
      normalization: norm,
      bottleneck: convolution(6, 4, [1]),
      context: [convolution(4, 2, [1]), convolution(2, 3, [1])] as const,
      local: convolution(4, 3, [3], [1], [1]),
    }],
    normalization: norm,
    transit: convolution(9, 5, [1]),
    transitRelu: true,
  };
  const network: CampplusGraph = {
    stem: convolution(1, 2, [3, 3], [1, 1], [1, 1]),
    residualBlocks: [{
      first: convolution(2, 2, [3, 3], [2, 1], [1, 1]),
      second: convolution(2, 2, [3, 3], [1, 1], [1, 1]),
      shortcut: convolution(2, 2, [1, 1], [2, 1]),
    }],
    headEnd: convolution(2, 2, [3, 3], [2, 1], [1, 1]),
    tdnn: convolution(4, 6, [5], [2], [2]),
    segmentFrames: 2,
    blocks: [block],
    embedding: { weight: tensor(7, 10), bias: new Float32Array(7), relu: false },
    values: { head: '', tdnn: '', blocks: [], pooling: '' },
  };

  it('has the multiply-adds of its layers', () => {
    // 8 mel bins and 5 frames: 8, 4 and 2 frequencies in the head, 3 rows, 2 segments.
    const head = 5 * (8 * 18 + 4 * (36 + 36 + 4) + 2 * 36);
    const rows = 3 * (4 * 6 * 5 + 6 * 4 + 4 * 3 * 3 + 9 * 5) + 2 * (4 * 2 + 2 * 3);
    expect(campplusWork(network, 8).of(5).multiplyAdds).toBe(head + rows + 7 * 10);
    expect(campplusWork(network, 8).numWeights).toBe(18 + 36 + 36 + 4 + 36 + 120 + 24 + 36 + 8 + 6 + 45 + 70);
  });

  it('has the dispatches of its kernels, with those of the head for each slice', () => {
    expect(campplusDispatches(network, { slices: [{ firstFrame: 0, numFrames: 1 }, { firstFrame: 1, numFrames: 1 }] })).toBe(1 + 2 * 5 + 1 + 4 + 2 + 1 + 5 + 2);
  });
});

describe('a small ResNet', () => {
  const graph: ResnetGraph = {
    stem: convolution(1, 2, [3, 3], [1, 1], [1, 1]),
    blocks: [
      { first: convolution(2, 2, [3, 3], [1, 1], [1, 1]), second: convolution(2, 2, [3, 3], [1, 1], [1, 1]), shortcut: null },
      { first: convolution(2, 4, [3, 3], [2, 2], [1, 1]), second: convolution(4, 4, [3, 3], [1, 1], [1, 1]), shortcut: convolution(2, 4, [1, 1], [2, 2]) },
    ],
    layerValues: [null, null, null],
  };
  // 8 mel bins and 5 frames: 4 frequencies and 3 frames after the stride.
  const work = resnetWork(graph, { numChannels: 16, embeddingSize: 6 }, 8);

  it('has the multiply-adds and values of its layers', () => {
    const [whole, half] = [8 * 5, 4 * 3];
    expect(work.of(5).multiplyAdds).toBe(whole * (18 + 36 + 36) + half * (72 + 144 + 8));
    const second = whole * 2 * 3;
    expect(work.of(5).values).toBe(whole * (1 + 2) + whole * (2 + 2) + second + (whole * 2 + half * 4) + half * 4 * 3 + (whole * 2 + half * 4));
    expect(work.ofSpeaker(5)).toEqual({ multiplyAdds: 32 * 6, values: 32 + 6 + 2 * 16 * 3 + 32, weights: 32 * 6 });
    expect(work.numWeights).toBe(18 + 36 + 36 + 72 + 144 + 8 + 32 * 6);
  });

  it('has the dispatches of its kernels', () => {
    expect(resnetDispatches(graph)).toBe(1 + 6 + 2 + 1 + 6 + 1 + 2);
  });
});

it('ResNet34 has the dispatches that test/full/gpuResnet counts, and the check of embeddings; and the weights of its file', () => {
  const { graph, manifest, work } = readResnetModel('models', 'e2e/fixtures/resnet34');
  expect(resnetDispatches(graph)).toBe(78 + 1);
  expect(resnetBatchWindows(graph, 998, manifest.fbank.numMelBins)).toBe(6);
  expect(work.numWeights / (manifest.file.bytes / 4)).toBeGreaterThan(0.97);
  expect(work.numWeights / (manifest.file.bytes / 4)).toBeLessThan(1);
});

describe('the bundled networks', () => {
  const { segmentation, embedding } = readModels('models');

  it('have the dispatches that test/full/gpuNetworks counts, and the check of embeddings', () => {
    expect(pyannetDispatches(segmentation.graph)).toBe(31);
    expect(campplusDispatches(embedding.graph, layOut(embedding.graph, [200, 206, 40]))).toBe(184 + 1);
    expect(FBANK_DISPATCHES).toBe(2);
  });

  it('have as many weights as their files, apart from biases and norms', () => {
    const countOf = ({ file }: { readonly file: { readonly bytes: number } }): number => file.bytes / 4;
    expect(segmentation.work.numWeights / countOf(segmentation.manifest)).toBeGreaterThan(0.97);
    expect(segmentation.work.numWeights / countOf(segmentation.manifest)).toBeLessThan(1);
    expect(embedding.work.numWeights / countOf(embedding.manifest)).toBeGreaterThan(0.95);
    expect(embedding.work.numWeights / countOf(embedding.manifest)).toBeLessThan(1);
  });
});
