import { expose, transfer, wrap } from 'comlink';
import type { SamplePull } from '../src/audio/blocks';
import { detailsOf, type ErrorParts, VoxlaneError } from '../src/util/errors';
import { announceLife } from './life';

/** A message whose large arrays are transferred instead of copied. The sender can no longer use them. */
export function moved<Message>(message: Message, ...arrays: readonly ArrayBufferView[]): Message {
  return transfer(
    message,
    arrays.map((array) => array.buffer as ArrayBuffer),
  );
}

type Method = (...parameters: never[]) => unknown;

/**
 * Serves `api` to the page.
 *
 * Comlink transfers only name, message and stack of a thrown Error, but passes any other thrown value unchanged.
 * Therefore, errors are thrown as plain parts, and {@link WorkerHandle} restores the error.
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

/** Runs `work` and measures its duration in seconds. */
export async function timed<Result>(work: () => Promise<Result> | Result): Promise<[Result, number]> {
  const start = performance.now();
  const result = await work();
  return [result, (performance.now() - start) / 1000];
}

/** Failures are sent as data, because a thrown error would lose its parts. */
type FeedReply = { readonly samples: Float32Array | null } | { readonly failure: ErrorParts };

interface FeedApi {
  next(wanted: number): Promise<FeedReply>;
  stop(): void | Promise<void>;
}

/** The two ends of a pull. */
export interface FeedPort {
  /** For the consumer thread: transfer this port to it. */
  readonly port: MessagePort;
  /** Closes the connection. A pending request gets no answer. */
  close(): void;
}

/**
 * Lets another thread pull samples. The arrays are transferred.
 *
 * @param pull throws only {@link VoxlaneError}
 */
export function serveFeed(pull: SamplePull): FeedPort {
  const { port1, port2 } = new MessageChannel();
  const api: FeedApi = {
    async next(wanted) {
      try {
        const samples = await pull.next(wanted);
        return samples ? moved({ samples }, samples) : { samples };
      } catch (thrown) {
        if (thrown instanceof VoxlaneError) return { failure: thrown.toParts() };
        throw thrown;
      }
    },
    stop: () => pull.stop(),
  };
  expose(api, port1);
  return {
    port: port2,
    close() {
      port1.close();
    },
  };
}

/** The other end of {@link serveFeed}. */
export function pullThrough(port: MessagePort): SamplePull {
  const remote = wrap<FeedApi>(port);
  return {
    async next(wanted) {
      const reply = await remote.next(wanted);
      if ('failure' in reply) throw new VoxlaneError(reply.failure);
      return reply.samples;
    },
    stop: () => remote.stop(),
  };
}
