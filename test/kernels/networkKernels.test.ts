/** The CPU references of the kernels of networks. test/full/gpuNetworks.test.ts runs the same tests with WGSL. */
import { describe, test } from 'vitest';
import { computeGates } from '../../src/embedding/gpuGates';
import { gatherBatch } from '../../src/embedding/gpuGatherBatch';
import { computeChannelStats } from '../../src/gpu/channelStats';
import { markBroken, surveyMap } from '../../src/gpu/mapGuard';
import { computeProduct } from '../../src/gpu/product';
import { computeLstm } from '../../src/segmentation/gpuLstm';
import { computeScores } from '../../src/segmentation/gpuScores';
import { networkKernelTests, UNTOUCHED } from './networkKernelTests';

describe('the CPU references of the network kernels', () => {
  // The kernels of the suite are asynchronous.
  const now = <Result>(work: () => Result): Promise<Result> => Promise.resolve().then(work);
  networkKernelTests(test, {
    product: (packed, step) => now(() => { computeProduct(packed, step); }),
    stats: (kind, step) => now(() => { computeChannelStats(kind, step); }),
    lstm: (step) => now(() => { computeLstm(step); }),
    scores: (packed, input) => now(() => computeScores(packed, input)),
    gates: (packed, { numGateRows, ...step }) =>
      now(() => {
        const gates = new Float32Array(numGateRows * packed.numGates);
        computeGates(packed, { ...step, gates });
        return gates;
      }),
    gather: (source, places, numRows) =>
      now(() => {
        const out = new Float32Array(numRows * (source.numMelBins + (source.paddingColumns ?? 2))).fill(UNTOUCHED);
        gatherBatch({ ...source, out }, places);
        return out;
      }),
    guard: (steps, result) =>
      now(() => {
        const values = result.slice();
        markBroken(steps.some(surveyMap), values);
        return values;
      }),
  });
});
