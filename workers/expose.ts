import { expose } from 'comlink';
import { detailsOf, VoxlaneError, type ErrorParts } from '../src/util/errors';
import { announceLife } from './life';

type Method = (...parameters: never[]) => unknown;

/**
 * Serves `api` to the page.
 *
 * Comlink carries name, message and stack of a thrown Error and loses the rest, but passes any other thrown
 * value whole. So what is thrown here is the error's parts, which {@link WorkerHandle} makes an error again.
 */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- callers name the contract that they keep
export function serve<Api extends object>(api: Api): void {
  const held = announceLife((message) => {
    self.postMessage(message);
  });
  const guarded = Object.fromEntries(
    Object.entries(api).map(([name, method]) => [name, guard(method as Method, held)]),
  );
  expose(guarded);
}

function guard(method: Method, held: Promise<void>): Method {
  return async (...parameters) => {
    try {
      await held;
      return await method(...parameters);
    } catch (thrown) {
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- see above: Comlink passes a plain object whole
      throw partsOf(thrown);
    }
  };
}

function partsOf(thrown: unknown): ErrorParts {
  if (thrown instanceof VoxlaneError) return thrown.toParts();
  // With its stack, which is not sent to the page.
  console.error(thrown);
  return {
    code: 'worker-failed',
    problem: 'A worker failed with an unexpected error',
    remedy: 'Run again. If it fails again, report it with the details',
    details: detailsOf(thrown),
  };
}

/** Runs `work` and says how many seconds it took. */
export async function timed<Result>(work: () => Promise<Result> | Result): Promise<[Result, number]> {
  const start = performance.now();
  const result = await work();
  return [result, (performance.now() - start) / 1000];
}
