/** The CPU references of the kernels of networks. test/full/gpuNetworks.test.ts runs the same tests with WGSL. */
import { describe, test } from 'vitest';
import { computeGates } from '../../src/embedding/gpuGates';
import { gatherBatch } from '../../src/embedding/gpuGatherBatch';
import { computeChannelStats } from '../../src/gpu/channelStats';
import { computeProduct } from '../../src/gpu/product';
import { computeLstm } from '../../src/segmentation/gpuLstm';
import { computeScores } from '../../src/segmentation/gpuScores';
import { networkSuite, UNTOUCHED } from './networkSuite';

describe('the CPU references of the network kernels', () => {
  networkSuite(test, {
    product: async (packed, step) => computeProduct(packed, step),
    stats: async (kind, step) => computeChannelStats(kind, step),
    lstm: async (step) => computeLstm(step),
    scores: async (packed, input) => computeScores(packed, input),
    gates: async (packed, { numGateRows, ...step }) => {
      const gates = new Float32Array(numGateRows * packed.numGates);
      computeGates(packed, { ...step, gates });
      return gates;
    },
    gather: async (source, places, numRows) => {
      const out = new Float32Array(numRows * (source.numMelBins + 2)).fill(UNTOUCHED);
      gatherBatch({ ...source, out }, places);
      return out;
    },
  });
});
