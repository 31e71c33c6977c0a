import { describe, expect, it } from 'vitest';
import { openOnWasm } from '../../test/sortformerNetworkTests';
import { NEMOTRON, nemotronGraph } from '../../test/seededNemotron';
import type { ModelCheck } from '../compare/modelCheck';
import type { ModelProto } from '../onnx/onnx_pb';
import { GraphNetwork, type Weights } from './graphNetwork';
import type { WeightsForm } from '../weights/convert';
import { graphInForm } from '../weights/graphForm';
import { checkNetwork } from './networkCheck';

const model = nemotronGraph();
const LAST_OF_MLP = 'model.audio_tower.layers.0.mlp.fc2.weight';

/** Runs the check on ONNX Runtime with changed weights. */
function checkWith(form: WeightsForm, change: (weights: Weights) => void = () => undefined): Promise<ModelCheck> {
  const open = (graph: ModelProto, weights: Weights): Promise<GraphNetwork> => {
    change(weights);
    return GraphNetwork.open({ model: graphInForm(graph, form), weights, manifest: NEMOTRON, open: openOnWasm });
  };
  return checkNetwork(model, NEMOTRON, { form, backend: 'wasm', open });
}

const stagesOf = ({ stages }: ModelCheck): [string, boolean][] => stages.map(({ stage, passed }) => [stage, passed]);

describe('the check of a network', () => {
  it.each(['float32', 'float16', 'int8'] as const)('passes for ONNX Runtime with %s weights', async (form) => {
    const check = await checkWith(form);
    expect(stagesOf(check)).toEqual([['stacked', true], ['logits', true]]);
    expect(check).toMatchObject({ model: NEMOTRON.id, backend: 'wasm', passed: true });
  });

  it('fails for int8 weights that a kernel cuts to seven bits', async () => {
    const check = await checkWith('int8', (weights) => {
      const matrix = new Int8Array(weights.get(LAST_OF_MLP)!.buffer);
      matrix.forEach((value, index) => { matrix[index] = Math.max(-64, Math.min(63, value)); });
    });
    expect(stagesOf(check)).toEqual([['stacked', true], ['logits', false]]);
  });

  it('fails for int8 weights whose fine part a kernel omits', async () => {
    const check = await checkWith('int8', (weights) => {
      for (const [name, matrix] of weights) if (name.endsWith('.fine')) matrix.fill(0);
    });
    expect(stagesOf(check)).toEqual([['stacked', true], ['logits', false]]);
  });

  it('fails for float16 weights whose three last bits a kernel cuts, as bfloat16 does', async () => {
    const check = await checkWith('float16', (weights) => {
      for (const name of [LAST_OF_MLP, 'model.audio_tower.embedder.projection.weight']) {
        const matrix = new Uint16Array(weights.get(name)!.buffer);
        matrix.forEach((bits, index) => { matrix[index] = bits & ~7; });
      }
    });
    expect(stagesOf(check)).toEqual([['stacked', false], ['logits', false]]);
  });

  it('fails for values that are not finite, and names the stage', async () => {
    const check = await checkWith('float32', (weights) => {
      new Float32Array(weights.get('model.proj.bias')!.buffer).fill(NaN, 7, 8);
    });
    expect(check.passed).toBe(false);
    expect(stagesOf(check)).toEqual([['stacked', true], [expect.stringMatching(/^logits \(.*NaN/), false]]);
  });
});
