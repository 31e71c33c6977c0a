/** Shared by the tests of the networks on our WGSL kernels in Node. */
import { readFileSync } from 'node:fs';

/** Share of a stage's spread, its greatest minus its least value: float32 with another order of summation. */
export const MAX_SHARE = 1e-3;

/** Manifest of a bundled model, not yet parsed. */
export const manifestOf = (id: string): unknown => JSON.parse(readFileSync(`models/${id}/manifest.json`, 'utf8'));

/** The ONNX file of a bundled model. */
export const bytesOf = (id: string): Uint8Array => new Uint8Array(readFileSync(`models/${id}/model.onnx`));
