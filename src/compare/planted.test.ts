/**
 * Faults planted in the bundled models and their goldens. The comparison must find the right stage and the right cause, on
 * the whole path from graph and bundle to the report. More faults are in test/full/plantedFaults.test.ts.
 */
import { describe, expect, it } from 'vitest';
import { listWeights } from '../onnx/weights';
import type { GoldenBundle, GoldenStage } from './files/bundle';
import { compareInNode } from '../../test/compare/nodeRun';
import { blamed, CAMPPLUS, fbankGolden, firstLstm, lstmChanged, reorderGates, SEGMENTATION, weight, withStage, withWeights } from '../../test/compare/plantedModels';

describe('a clean model', () => {
  it.each([
    ['segmentation-3.0', SEGMENTATION],
    ['campplus-zh-en', CAMPPLUS],
  ] as const)('%s passes every stage without a cause, even in a thorough comparison', async (_name, base) => {
    const { verdict, firstDivergence, stages } = await compareInNode(base, { thorough: true });
    expect(stages.map(({ name }) => name)).toEqual(base.manifest.stages.map(({ name }) => name));
    expect({ verdict, firstDivergence }).toEqual({ verdict: 'pass', firstDivergence: null });
    expect(stages.flatMap(({ causes }) => causes)).toEqual([]);
    // Judged twice, except the first: golden inputs were injected, and passed.
    expect(stages.map(({ forced }) => forced?.verdict)).toEqual([undefined, ...stages.slice(1).map(() => 'pass')]);
  }, 120_000);
});

describe('faults in the weights of segmentation-3.0', () => {
  it('LSTM gates in another order: the stage lstm, and nothing after it', async () => {
    // PyTorch's order, input, forget, cell, output; ONNX expects input, output, forget, cell.
    const { stages, firstDivergence } = await compareInNode(lstmChanged((values, shape) => reorderGates(values, shape, [0, 2, 3, 1])));
    expect(firstDivergence).toBe('lstm');
    expect(blamed(stages)).toEqual(['lstm: lstm-gates']);
    expect(stages.slice(2).map(({ verdict, inherited }) => ({ verdict, inherited }))).toEqual(
      stages.slice(2).map(() => ({ verdict: 'fail', inherited: true })),
    );
  }, 120_000);

  it("one layer's weights zeroed", async () => {
    const [matrix] = listWeights(SEGMENTATION.model).filter(({ shape }) => shape.length === 2 && shape[0] === 128 && shape[1] === 128);
    const zeros = new Float32Array(matrix!.shape.reduce((product, size) => product * size, 1));
    const { stages, firstDivergence } = await compareInNode(withWeights(SEGMENTATION, new Map([[matrix!.name, zeros]])));
    expect(firstDivergence).toBe('linear2');
    expect(blamed(stages)).toEqual(['linear2: zero-weights']);
    expect(stages.find(({ name }) => name === 'linear2')!.causes[0]!.evidence).toContain(matrix!.name);
  }, 120_000);

  it('a NaN in a weight', async () => {
    const [{ w }] = firstLstm as [(typeof firstLstm)[number]];
    const { values } = weight(SEGMENTATION, w);
    const { stages, firstDivergence } = await compareInNode(withWeights(SEGMENTATION, new Map([[w, values.with(5, NaN)]])));
    expect(firstDivergence).toBe('lstm');
    expect(blamed(stages)).toEqual(['lstm: not-finite']);
  }, 120_000);
});

it('a window function of the filterbank: hamming for povey', async () => {
  const { stages, firstDivergence } = await compareInNode(fbankGolden({ windowType: 'hamming' }));
  expect(firstDivergence).toBe('fbank');
  expect(blamed(stages)[0]).toBe('fbank: fbank-window');
  // The network's output for its own features is correct.
  expect(stages.slice(1).map(({ verdict }) => verdict)).toEqual(stages.slice(1).map(() => 'pass'));
}, 120_000);

describe('faults in golden tensors of real stages', () => {
  const { bundle } = SEGMENTATION;
  const plant = (name: string, change: (stage: GoldenStage) => Partial<GoldenStage>) =>
    compareInNode(withStage(SEGMENTATION, name, change));
  const shifted = ({ data, shape }: GoldenStage, frames: number): Float32Array => {
    const [, numFrames, numChannels] = shape as [number, number, number];
    return Float32Array.from(data, (_, i) => {
      const frame = Math.min(Math.max(Math.floor(i / numChannels) - frames, 0), numFrames - 1);
      return data[frame * numChannels + (i % numChannels)]!;
    });
  };

  it.each<[string, string, (stage: GoldenStage) => Partial<GoldenStage>]>([
    ['scaled', 'lstm', ({ data }) => ({ data: data.map((value) => 1.05 * value) })],
    ['offset', 'linear1', ({ data }) => ({ data: data.map((value) => value + 0.25) })],
    ['shifted-frames', 'lstm', (stage) => ({ data: shifted(stage, 3) })],
    ['log-base', 'classifier', ({ data }) => ({ data: data.map((value) => value / Math.LN10) })],
    ['all-zeros', 'linear2', ({ data }) => ({ data: new Float32Array(data.length) })],
    ['channel-order', 'linear1', ({ data }) => ({ data: data.map((_, i) => data[i - (i % 128) + 127 - (i % 128)]!) })],
    ['frame-count', 'lstm', ({ data, shape }) => ({ data: data.slice(0, 110 * shape[2]!), shape: [1, 110, shape[2]!] })],
    [
      'permuted-axes',
      'sincnet',
      ({ data, shape: [, channels, frames] }) => ({
        shape: [1, frames!, channels!],
        data: data.map((_, i) => data[(i % channels!) * frames! + Math.floor(i / channels!)]!),
      }),
    ],
  ])('%s', async (cause, name, change) => {
    const { stages, firstDivergence, verdict } = await plant(name, change);
    expect({ verdict, firstDivergence }).toEqual({ verdict: 'fail', firstDivergence: name });
    expect(blamed(stages)).toEqual([`${name}: ${cause}`]);
    expect(stages.filter((stage) => stage.verdict === 'fail').map((stage) => stage.name)).toEqual([name]);
  }, 120_000);

  it('reports the factor: 1.05 within 0.001', async () => {
    const { stages } = await plant('lstm', ({ data }) => ({ data: data.map((value) => 1.05 * value) }));
    const factor = stages[1]!.causes[0]!.values.factor as number;
    expect(Math.abs(factor - 1.05)).toBeLessThan(0.001);
  }, 120_000);

  it('notes a different layout that is stated, and passes it', async () => {
    const { stages, verdict } = await plant('sincnet', ({ data, shape: [, channels, frames] }) => ({
      axes: ['batch', 'frame', 'channel'],
      shape: [1, frames!, channels!],
      data: data.map((_, i) => data[(i % channels!) * frames! + Math.floor(i / channels!)]!),
    }));
    expect(verdict).toBe('pass');
    expect(stages[0]!.notes.join()).toMatch(/batch, frame, channel/);
  }, 120_000);

  it('notes where an error begins that no single stage causes', async () => {
    // Bounds between the error of a single stage and the accumulated error.
    const clean = await compareInNode(SEGMENTATION);
    const { relative, forced } = clean.stages[3]!;
    const tolerance = { maxAbs: Infinity, cosine: 0.999, rtol: (relative! + forced!.relative!) / 2, atol: 0 };
    const { stages, firstDivergence } = await plant('linear2', () => ({ tolerance }));
    expect(relative).toBeGreaterThan(forced!.relative!);
    expect(firstDivergence).toBe('linear2');
    // Most of it is already in the output of the first stage.
    expect(blamed(stages)).toEqual(['linear2: none']);
    expect(stages[3]!.notes.join()).toMatch(/^passes on golden input: [5-9]\d % of the error comes from the part of the graph that ends at sincnet/);
  }, 120_000);

  it('blames a stage of one backend only, even if an earlier stage is wrong as well', async () => {
    const changed: GoldenBundle = {
      ...bundle,
      stages: bundle.stages.map((stage) =>
        stage.name === 'sincnet' ? { ...stage, data: stage.data.map((value) => value + 0.5) } : stage,
      ),
    };
    const fault = { node: '/linear.0/MatMul', factor: 1.1 };
    const { stages } = await compareInNode({ ...SEGMENTATION, bundle: changed }, { fault });
    expect(blamed(stages).map((line) => line.split(':')[0])).toEqual(['sincnet', 'linear1']);
  }, 120_000);
});
