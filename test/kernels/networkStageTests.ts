/** Shared tests of every stage of both networks on our WGSL kernels, for Dawn in Node and for all browsers with WebGPU. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { ShippedModel } from '../../src/store/manifest';
import type { NetworkErrors } from './networkStages';

/** Share of a stage's spread, its greatest minus its least value: float32 with another order of summation. */
const MAX_SHARE = 1e-3;
const MIN_COSINE = 0.99999;

const MODELS: readonly { readonly id: ShippedModel; readonly hasClasses: boolean }[] = [
  { id: 'segmentation-3.0', hasClasses: true },
  { id: 'campplus-zh-en', hasClasses: false },
];

/** @param measure runs `measureNetwork` in the host */
export function networkStageTests(test: (title: string, body: () => Promise<void>) => void, measure: (id: ShippedModel) => Promise<NetworkErrors>): void {
  for (const { id, hasClasses } of MODELS) {
    test(`every stage of ${id} on our kernels matches PyTorch and WASM`, async () => {
      const { stages, cosine, otherClasses, numRows } = await measure(id);
      const manifest = JSON.parse(readFileSync(`models/${id}/manifest.json`, 'utf8')) as { stages: { name: string; value: string | null }[] };
      assert.deepEqual(stages.map(({ name }) => name), manifest.stages.filter(({ value }) => value !== null).map(({ name }) => name));
      for (const { name, golden, wasm } of stages) {
        console.log(`${id} ${name}: ${golden.toExponential(1)} of the spread from PyTorch, ${wasm.toExponential(1)} from WASM`);
        assert.ok(golden <= MAX_SHARE, `${name} differs from PyTorch by ${golden} of its spread`);
        assert.ok(wasm <= MAX_SHARE, `${name} differs from WASM by ${wasm} of its spread`);
      }
      if (hasClasses) {
        assert.ok(numRows > 1);
        assert.deepEqual(otherClasses, { golden: 0, wasm: 0 });
      } else {
        assert.ok(cosine.golden >= MIN_COSINE && cosine.wasm >= MIN_COSINE, `cosines are ${cosine.golden} and ${cosine.wasm}`);
      }
    });
  }
}
