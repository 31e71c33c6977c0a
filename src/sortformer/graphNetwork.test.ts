import { expect, it } from 'vitest';
import nemotron from '../../models/nemotron-3-diarization/manifest.json';
import { NEMOTRON, nemotronGraph, seededNemotron } from '../../test/seededNemotron';
import { comparePipeline, PIPELINE_CASES } from '../../test/sortformerPipelineGoldens';
import { sortformerNetworkTests, openOnWasm, openSeeded } from '../../test/sortformerNetworkTests';
import { parseStreamingSettings } from '../store/streamingSettings';
import { expectedWeights } from '../weights/expected';
import golden from './fixtures/stream.json';
import { GraphNetwork } from './graphNetwork';

const NUM_LAYERS = 4;

sortformerNetworkTests(NUM_LAYERS);

it('matches the reference from samples to logits, offline', async () => {
  const one = PIPELINE_CASES.find(({ mode, numLayers }) => mode === 'offline' && numLayers === NUM_LAYERS)!;
  const network = await openSeeded(NUM_LAYERS);
  await comparePipeline(one, network);
  await network.release();
});

it('the graph has the tensors that the manifest counts, and all are weights', () => {
  const tensors = expectedWeights(nemotronGraph());
  expect(tensors).toHaveLength(NEMOTRON.weights.numTensors);
  expect(tensors.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0)).toBe(99_226_504);
});

it('the manifest has the settings of the reference loop', () => {
  expect(parseStreamingSettings(nemotron.streaming, 'manifest')).toEqual(parseStreamingSettings(golden.settings, 'golden'));
});

it('rejects weights without a tensor, and steps with more frames than positions', async () => {
  const model = nemotronGraph(1);
  const weights = new Map(Array.from(seededNemotron(1), ([name, { data }]) => [name, new Uint8Array(data.buffer)]));
  const lacking = new Map(weights);
  lacking.delete('model.proj.bias');
  const options = { model, manifest: NEMOTRON, open: openOnWasm };
  await expect(GraphNetwork.open({ ...options, weights: lacking })).rejects.toMatchObject({ code: 'model-invalid', problem: expect.stringContaining('model.proj.bias') as string });
  const network = await GraphNetwork.open({ ...options, weights });
  expect(network.silence).toEqual(seededNemotron(1).get('silence_embeds')!.data);
  const numFrames = NEMOTRON.maxEncoderFrames + 1;
  const step = { embeddings: new Float32Array(numFrames * 512), numFrames, numValidFrames: numFrames, firstScoredFrame: 0 };
  await expect(network.logits(step)).rejects.toMatchObject({ code: 'options' });
  await network.release();
});
