/** Bundled models with faults in their weights or goldens. */
import { listWeights, lstmNodes, replaceWeights } from '../../src/onnx/weights';
import { Fbank } from '../../src/features/fbank';
import { maskedFeatures } from '../../src/embedding/mask';
import type { EmbeddingManifest, FbankSpec } from '../../src/store/manifest';
import type { GoldenStage } from '../../src/compare/files/bundle';
import type { StageReport } from '../../src/compare/report';
import { shippedCase, type ShippedCase } from './nodeRun';

export const SEGMENTATION = shippedCase('segmentation-3.0');
export const CAMPPLUS = shippedCase('campplus-zh-en');

/** The case with one golden stage replaced. */
export function withStage(base: ShippedCase, name: string, change: (stage: GoldenStage) => Partial<GoldenStage>): ShippedCase {
  const stages = base.bundle.stages.map((stage) => (stage.name === name ? { ...stage, ...change(stage) } : stage));
  return { ...base, bundle: { ...base.bundle, stages } };
}

export function withWeights(base: ShippedCase, changes: ReadonlyMap<string, Float32Array>): ShippedCase {
  return { ...base, model: replaceWeights(base.model, changes) };
}

export function weight(base: ShippedCase, name: string): { values: Float32Array; shape: readonly number[] } {
  const found = listWeights(base.model).find((candidate) => candidate.name === name)!;
  return { values: found.values()!, shape: found.shape };
}

/** Failing stages that do not inherit their error, each with the first cause. */
export const blamed = (stages: readonly StageReport[]): string[] =>
  stages.filter(({ verdict, inherited }) => verdict === 'fail' && !inherited).map(({ name, causes }) => `${name}: ${causes[0]?.id ?? 'none'}`);

export const firstLstm = (() => {
  const inputs = SEGMENTATION.manifest.stages[0]!.value!;
  const outputs = SEGMENTATION.manifest.stages[1]!.value!;
  return lstmNodes(SEGMENTATION.model, { inputs: [inputs], outputs: [outputs] });
})();

/** Reorders blocks of rows of (direction, 4 × hidden, …) within each direction. */
export function reorderGates(values: Float32Array, shape: readonly number[], order: readonly number[]): Float32Array {
  const blocks = shape.length === 2 ? 8 : 4;
  const size = values.length / shape[0]! / blocks;
  const result = new Float32Array(values.length);
  for (let block = 0; block < shape[0]! * blocks; block++) {
    const base = block - (block % 4);
    result.set(values.subarray((base + order[block % 4]!) * size, (base + order[block % 4]! + 1) * size), block * size);
  }
  return result;
}

/** Swaps the two directions of (2, …). */
export function swapDirections(values: Float32Array): Float32Array {
  const half = values.length / 2;
  return Float32Array.from(values, (_, index) => values[(index + half) % values.length]!);
}

export function lstmChanged(change: (values: Float32Array, shape: readonly number[]) => Float32Array): ShippedCase {
  const names = firstLstm.flatMap(({ w, r, b }) => [w, r, ...(b === null ? [] : [b])]);
  return withWeights(
    SEGMENTATION,
    new Map(
      names.map((name) => {
        const { values, shape } = weight(SEGMENTATION, name);
        return [name, change(values, shape)];
      }),
    ),
  );
}

/** The case with golden features of a filterbank with other options. */
export function fbankGolden(change: Partial<FbankSpec>): ShippedCase {
  const manifest = CAMPPLUS.manifest as EmbeddingManifest;
  const facts = { ...manifest.fbank, ...change };
  return withStage(CAMPPLUS, 'fbank', () => {
    const features = new Fbank(facts, manifest.sampleRate).compute(CAMPPLUS.bundle.inputs[0]!.data);
    return { data: maskedFeatures(features, Uint8Array.of(1), facts.subtractMean) };
  });
}
