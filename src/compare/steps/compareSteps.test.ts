/** Steps of the reference with seeded weights and 4 layers. models/nemotron-3-diarization/step_goldens.py writes the bundle. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { RUNTIME_BASE } from '../../../test/gpu/dawn';
import { NEMOTRON, seededNemotronFile } from '../../../test/seededNemotron';
import { parseGraphAlone } from '../../onnx/model';
import type { ModelProto } from '../../onnx/onnx_pb';
import { replaceWeights } from '../../onnx/weights';
import { openSession } from '../../ort/session';
import { isBoundByName, withBoundWeights } from '../boundWeights';
import { type GoldenBundle, readBundle } from '../files/bundle';
import { GraphRunner } from '../graphRunner';
import { compareSteps } from './compareSteps';
import { joinState } from './joinState';
import type { StepsReport } from './stepsReport';

const NUM_LAYERS = 4;
const COMPRESSED_STEP = 8;
const bundle = readBundle(readFileSync('src/compare/fixtures/nemotron_steps.zip'));
const graph = parseGraphAlone(bundle.graph!, 'graph.onnx');
const weights = seededNemotronFile(NUM_LAYERS);
let model: ModelProto;

beforeAll(async () => {
  model = await withBoundWeights(graph, { name: 'model.safetensors', bytes: weights });
});

/** The bundle with only some of its steps. */
const withSteps = (...indices: number[]): GoldenBundle => ({
  ...bundle,
  streaming: { ...bundle.streaming!, steps: bundle.streaming!.steps.filter(({ index }) => indices.includes(index)) },
});

async function compare(golden: GoldenBundle, compared = model): Promise<StepsReport> {
  const open = (bytes: Uint8Array) => openSession(bytes, { runtimeBase: RUNTIME_BASE, threads: 1, gpu: null });
  const joined = joinState(compared, NEMOTRON.tensors);
  const runner = { graph: new GraphRunner(joined, { open }), features: null };
  const report = await compareSteps({ bundle: golden, model: joined, manifest: NEMOTRON, backend: 'wasm', runner, variants: null, onStep: () => undefined });
  await runner.graph.release();
  return report;
}

describe('the steps of a model with a state', () => {
  it('match the reference from the golden state and from our own, also after a compression of the cache', async () => {
    const report = await compare(bundle);
    expect(report).toMatchObject({ model: NEMOTRON.id, mode: 'ultra_low_latency', verdict: 'pass', first: null });
    expect(report.steps.map(({ index, startSeconds, verdict }) => [index, startSeconds, verdict])).toEqual([
      [0, 0, 'pass'],
      [3, 0.72, 'pass'],
      [COMPRESSED_STEP, 1.92, 'pass'],
    ]);
    // Of the three steps, the first has no state, and the last a full cache.
    expect(report.steps.map(({ state }) => [state.frames, state.goldenFrames, state.otherFrames])).toEqual([[0, 0, 0], [9, 9, 0], [20, 20, 0]]);
    expect(report.decisions).toEqual({ total: 3 * 24 * 8, step: 0, own: 0 });
    for (const { stages } of report.steps) {
      expect(stages.map(({ name }) => name)).toEqual(['features', 'stacking', 'layer1', 'head', 'logits']);
      // Only the features of our own loop differ: their error is rounding, and the stages do not amplify it beyond their tolerance.
      for (const { own, drift, step } of stages) {
        expect(own.cosine).toBeGreaterThanOrEqual(0.99999);
        expect(step.verdict).toBe('pass');
        expect(drift).toBeLessThan(step.tolerance.rtol!);
      }
    }
  });

  it('name the stage with an error of its own, in the first step', async () => {
    const name = 'model.audio_tower.layers.0.mlp.fc1.bias';
    const tensor = model.graph!.initializer.find((one) => one.name === name)!;
    const values = new Float32Array(tensor.rawData.slice().buffer).map((value) => value + 0.05);
    const { verdict, first } = await compare(withSteps(0), replaceWeights(model, new Map([[name, values]])));
    expect({ verdict, first }).toEqual({ verdict: 'fail', first: { step: 0, stage: 'layer1', kind: 'step' } });
  });

  it('name the first stage that float16 changes, and count decisions', async () => {
    const rounded = await withBoundWeights(graph, { name: 'model.safetensors', bytes: weights }, 'float16');
    const { first, steps, decisions } = await compare(withSteps(0), rounded);
    expect(first).toEqual({ step: 0, stage: 'stacking', kind: 'step' });
    // The first step has no state: both computations differ by the features only.
    const logits = steps[0]!.stages.at(-1)!;
    expect(logits.step.relative).toBeGreaterThan(1e-4);
    expect(logits.drift).toBeLessThan(1e-4);
    expect(decisions!.total).toBe(24 * 8);
    expect(decisions!.own).toBe(decisions!.step);
  });

  it('pass with int8, whose weights have 16 bits, and name the first stage that the loss of their fine parts changes', async () => {
    const rounded = await withBoundWeights(graph, { name: 'model.safetensors', bytes: weights }, 'int8');
    const whole = await compare(withSteps(0), rounded);
    expect([whole.verdict, whole.first]).toEqual(['pass', null]);
    expect(whole.decisions).toMatchObject({ own: 0, step: 0 });
    const fine = rounded.graph!.initializer.filter(({ name }) => name.endsWith('.fine'));
    expect(fine).toHaveLength(24);
    for (const tensor of fine) tensor.rawData = new Uint8Array(tensor.rawData.length);
    // Stacking stays in float32.
    expect((await compare(withSteps(0), rounded)).first).toEqual({ step: 0, stage: 'layer1', kind: 'step' });
  });

  it('trace the decisions that int8 changes to the stages whose golden outputs correct them', async () => {
    const rounded = await withBoundWeights(graph, { name: 'model.safetensors', bytes: weights }, 'int8');
    const { causes, decisions } = await compare(withSteps(COMPRESSED_STEP), rounded);
    const counts = new Map(causes.map(({ stage, count }) => [stage, count]));
    // Only the layers have int8 matrices; those after the first one belong to the head.
    expect([...counts.keys()].filter((stage) => stage !== 'layer1' && stage !== 'head')).toEqual([]);
    const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
    expect(total).toBeGreaterThan(0);
    // All frames of the step are decided, also those of the state.
    expect(total).toBeGreaterThanOrEqual(decisions!.step);
  });

  it('attribute a wrong selection of the cache to the state, and not to a stage', async () => {
    const golden = withSteps(COMPRESSED_STEP);
    const settings = golden.streaming!.settings as { readonly cache: object };
    const changed = { ...settings, cache: { ...settings.cache, silenceFramesPerSpeaker: 0 } };
    const { verdict, first, steps } = await compare({ ...golden, streaming: { ...golden.streaming!, settings: changed } });
    expect({ verdict, first }).toEqual({ verdict: 'fail', first: { step: COMPRESSED_STEP, stage: 'state', kind: 'drift' } });
    const [{ state, stages }] = steps as [StepsReport['steps'][number]];
    expect(state.otherFrames).toBeGreaterThan(0);
    expect(stages.every(({ step }) => step.verdict === 'pass')).toBe(true);
    expect(stages.at(-1)!.own.verdict).toBe('fail');
    expect(stages.at(-1)!.drift).toBeGreaterThan(0.01);
  });

  it('need samples up to the last recorded step', async () => {
    const [samples] = bundle.inputs;
    const short = { ...withSteps(COMPRESSED_STEP), inputs: [{ ...samples!, data: samples!.data.slice(0, 16_000), shape: [16_000] }] };
    await expect(compare(short)).rejects.toMatchObject({ code: 'format', problem: 'The samples of the golden bundle end before step 8' });
  });
});

it('a graph without weights needs a safetensors file', async () => {
  expect(isBoundByName(graph)).toBe(true);
  expect(isBoundByName(model)).toBe(false);
  await expect(withBoundWeights(graph, null)).rejects.toMatchObject({ code: 'options', expected: expect.stringContaining('model.safetensors') as string });
});
