/** Numeric parity: every stage of every shipped bundle, by the bundle's own tolerances. */
import { SHIPPED_MODELS } from '../src/store/shipped';
import { testParity } from './support/parity';

for (const id of Object.keys(SHIPPED_MODELS)) testParity(id, 'wasm');
testParity('segmentation-3.0', 'webgpu');
