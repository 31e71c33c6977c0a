/** The steps of Nemotron 3 Diarization with four layers and seeded weights, compared in ONNX Runtime on WebGPU, on Dawn in Node. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { withBoundWeights } from '../../src/compare/boundWeights';
import { type GoldenBundle, readBundle } from '../../src/compare/files/bundle';
import { GraphRunner } from '../../src/compare/graphRunner';
import { compareSteps } from '../../src/compare/steps/compareSteps';
import { joinState } from '../../src/compare/steps/joinState';
import type { StepsReport } from '../../src/compare/steps/stepsReport';
import { openGpu } from '../../src/gpu/context';
import { parseGraphAlone } from '../../src/onnx/model';
import type { ModelProto } from '../../src/onnx/onnx_pb';
import { replaceWeights } from '../../src/onnx/weights';
import { openSession } from '../../src/ort/session';
import { installDawn, RUNTIME_BASE } from '../gpu/dawn';
import { NEMOTRON, seededNemotronFile } from '../seededNemotron';
import { itUnless } from '../skips';

const missing = await installDawn();

const MINUTES = 60_000;

itUnless(missing)('the first steps match the reference on WebGPU, and a wrong layer is named', async () => {
  const bundle = readBundle(readFileSync('src/compare/fixtures/nemotron_steps.zip'));
  const model = await withBoundWeights(parseGraphAlone(bundle.graph!, 'graph.onnx'), { name: 'model.safetensors', bytes: seededNemotronFile(4) });
  const gpu = await openGpu();
  // A step without and one with a state: the software adapter is slow.
  const withSteps = (...indices: number[]): GoldenBundle => ({ ...bundle, streaming: { ...bundle.streaming!, steps: bundle.streaming!.steps.filter(({ index }) => indices.includes(index)) } });
  const compare = async (golden: GoldenBundle, compared: ModelProto): Promise<StepsReport> => {
    const joined = joinState(compared, NEMOTRON.tensors);
    const runner = { graph: new GraphRunner(joined, { open: (bytes) => openSession(bytes, { runtimeBase: RUNTIME_BASE, threads: 1, gpu }) }), features: null };
    const report = await compareSteps({ bundle: golden, model: joined, manifest: NEMOTRON, backend: 'webgpu', runner, variants: null, onStep: () => undefined });
    await runner.graph.release();
    return report;
  };
  const report = await compare(withSteps(0, 3), model);
  expect(report).toMatchObject({ backend: 'webgpu', verdict: 'pass', first: null, decisions: { total: 2 * 24 * 8, step: 0, own: 0 } });
  expect(report.steps.map(({ index, state }) => [index, state.frames, state.goldenFrames, state.otherFrames])).toEqual([[0, 0, 0, 0], [3, 9, 9, 0]]);
  const logits = report.steps[1]!.stages.at(-1)!;
  console.log(`WebGPU, step 3: logits differ by ${logits.step.relative} from the golden state, ${logits.own.relative} from our own`);

  const name = 'model.audio_tower.layers.0.mlp.fc1.bias';
  const tensor = model.graph!.initializer.find((one) => one.name === name)!;
  const values = new Float32Array(tensor.rawData.slice().buffer).map((value) => value + 0.05);
  expect(await compare(withSteps(0), replaceWeights(model, new Map([[name, values]])))).toMatchObject({ verdict: 'fail', first: { step: 0, stage: 'layer1', kind: 'step' } });
}, 15 * MINUTES);
