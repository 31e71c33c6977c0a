import * as ort from 'onnxruntime-web';
import { describe, expect, it } from 'vitest';
import { reasonOf } from './reason';

describe('reasonOf', () => {
  // Messages of onnxruntime-web 1.30.
  it.each([
    ["Can't create a session. ERROR_CODE: 10, ERROR_MESSAGE: Could not find an implementation for Erf(13) node with name 'blocks.0/erf'", 'it has no implementation of Erf in version 13 (node blocks.0/erf) for this backend and these types'],
    ['Fatal error: com.example:Nothing(-1) is not a registered function/op', 'it has no operator com.example:Nothing'],
    ['Load model failed: No Op registered for Gelu2 with domain_version of 17', 'it has no operator Gelu2 in version 17'],
    ["Non-zero status code returned while running MatMul node. Name:'m' Status Message: matmul_helper.h:142 left operand cannot broadcast", 'the node m (MatMul) failed: left operand cannot broadcast'],
    ["Non-zero status code returned while running Gather node. Name:'' Status Message: indices element out of data bounds, idx=10 must be within the inclusive range [-3,2]", 'the node without a name (Gather) failed: indices element out of data bounds, idx=10 must be within the inclusive range [-3,2]'],
    ["Non-zero status code returned while running Gather node. Name:'g'", 'the node g (Gather) failed'],
    ['ERROR_MESSAGE: Invalid rank for input: x Got: 3 Expected: 2 Please fix either the inputs/outputs or the model.', 'the input x has rank 3, but the graph expects rank 2'],
    ['Got invalid dimensions for input: x for the following indices\n index: 1 Got: 3 Expected: 4\n Please fix either the inputs/outputs or the model.', 'the shape of the input x does not match the graph: 3 along axis 1 instead of 4'],
    ["Error: input 'x' is missing in 'feeds'.", 'the input x is missing'],
    ['unsupported data type: 17', 'it does not support the type float8e4m3fn'],
    ['unsupported data type: 24', 'it does not support the type uint2'],
    ['unsupported type: int4', 'it does not support the type int4'],
    ["ERROR_MESSAGE: Failed to find kernel for Cast(25) (node:'Cast_0' ep:'CPUExecutionProvider').", 'it has no implementation of Cast in version 25 for these types'],
    ['ERROR_MESSAGE: [ShapeInferenceError] Inferred=2 Declared=12 Dimension=0', 'the declared shapes contradict each other (Inferred=2 Declared=12 Dimension=0)'],
    ['rnn.h:49 RNN(const OpKernelInfo &) layout_ == 0 was false. Batchwise recurrent operations (layout == 1) are not supported.', 'Batchwise recurrent operations (layout == 1) are not supported'],
    ['std::bad_alloc', 'there is not enough memory'],
    ['something else', null],
  ])('%s', (message, reason) => {
    expect(reasonOf(message)).toBe(reason);
  });

  it('returns no reason for bytes that are not a graph', async () => {
    ort.env.logLevel = 'fatal';
    const thrown: unknown = await ort.InferenceSession.create(new Uint8Array([1, 2, 3])).catch((error: unknown) => error);
    expect(reasonOf((thrown as Error).message)).toBeNull();
  });
});
