import * as ort from 'onnxruntime-web';
import { exactFromRuntime, fromRuntime, type Session, toRuntimeArray } from '../../src/ort/session';
import { reasonOf } from '../../src/ort/reason';
import { messageOf, VoxlaneError } from '../../src/util/errors';

/** A session like that of `openSession`, on the WASM runtime in Node. */
export async function openNodeSession(bytes: Uint8Array): Promise<Session> {
  const session = await ort.InferenceSession.create(bytes).catch(failed);
  return {
    outputNames: session.outputNames,
    run: async (feeds) => {
      const tensors = Array.from(feeds, ([name, { data, exact, shape, dtype }]) => [
        name,
        new ort.Tensor(dtype as 'float32', toRuntimeArray(dtype, exact ?? data, name) as Float32Array, shape),
      ]);
      const results = Object.entries(
        await session.run(Object.fromEntries(tensors) as Record<string, ort.Tensor>).catch(failed),
      );
      return new Map(
        results.map(([name, tensor]) => {
          const data = fromRuntime(tensor, name);
          return [name, { data, ...exactFromRuntime(tensor, data), shape: tensor.dims, dtype: tensor.type }];
        }),
      );
    },
    release: () => session.release(),
  };
}

function failed(cause: unknown): never {
  const message = messageOf(cause);
  throw new VoxlaneError({ code: 'backend-failed', problem: reasonOf(message) ?? message });
}
