/** Numeric parity: every stage of every shipped bundle on both backends, by the bundle's own tolerances. */
import { SHIPPED_MODELS } from '../../src/store/shipped';
import { testParity } from '../../test/browser/parity';

for (const id of Object.keys(SHIPPED_MODELS)) {
  testParity(id, 'wasm');
  testParity(id, 'webgpu');
}
