import { build, float, node, tensor, weight } from './build';

/** y = (relu(x) + one) * w with four values, then z = -y. The values of all steps have names with slashes. */
export const CHAIN = build({
  input: [float('x', null)],
  output: [float('/z', null)],
  initializer: [weight('w', [4], [2, 3, 4, 5]), weight('unused', [1], [7])],
  valueInfo: [float('/relu/y', null)],
  node: [
    node('Relu', ['x'], ['/relu/y'], { name: '/relu' }),
    node('Constant', [], ['/one'], { name: '/one', attribute: [tensor('value', weight('', [], [1]))] }),
    node('Add', ['/relu/y', '/one'], ['/add/y'], { name: '/add' }),
    node('Mul', ['/add/y', 'w'], ['/mul/y'], { name: '/mul' }),
    node('Neg', ['/mul/y'], ['/z']),
  ],
});
/** Input of {@link CHAIN}. */
export const X = { data: Float32Array.of(-1, 0, 1, 2), shape: [4] };
