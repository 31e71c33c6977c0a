import * as ort from 'onnxruntime-web';
import { describe, expect, it } from 'vitest';
import { reasonOf } from './reason';

describe('reasonOf', () => {
  // Messages of onnxruntime-web 1.30.
  it.each([
    ["Can't create a session. ERROR_CODE: 10, ERROR_MESSAGE: Could not find an implementation for Erf(13) node with name 'blocks.0/erf'", 'it has no implementation of Erf in version 13 (node blocks.0/erf) for this backend and these types'],
    ['Fatal error: com.example:Nothing(-1) is not a registered function/op', 'it has no operator com.example:Nothing'],
    ['Load model failed: No Op registered for Gelu2 with domain_version of 17', 'it has no operator Gelu2 in version 17'],
    ["Non-zero status code returned while running MatMul node. Name:'m' Status Message: matmul_helper.h:142 left operand cannot broadcast", 'the node m (MatMul) failed'],
    ["Error: input 'x' is missing in 'feeds'.", 'the input x is missing'],
    ['std::bad_alloc', 'there is not enough memory'],
    ['something else', null],
  ])('%s', (message, reason) => {
    expect(reasonOf(message)).toBe(reason);
  });

  it('finds no reason in the message for bytes that are no graph', async () => {
    ort.env.logLevel = 'fatal';
    const thrown: unknown = await ort.InferenceSession.create(new Uint8Array([1, 2, 3])).catch((error: unknown) => error);
    expect(reasonOf((thrown as Error).message)).toBeNull();
  });
});
