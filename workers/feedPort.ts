import { expose, wrap } from 'comlink';
import type { SamplePull } from '../src/audio/sampleBlocks';
import { VoxlaneError, type ErrorParts } from '../src/util/errors';
import { moved } from './moved';

/** What a thrown error would lose on its way is an answer like any other. */
type FeedReply = { readonly samples: Float32Array | null } | { readonly failure: ErrorParts };

interface FeedApi {
  next(wanted: number): Promise<FeedReply>;
  stop(): void | Promise<void>;
}

/** A pull's two ends. */
export interface FeedPort {
  /** For the thread that asks: to be transferred to it. */
  readonly port: MessagePort;
  /** Ends the connection: what is being asked is not answered. */
  close(): void;
}

/**
 * Lets another thread pull. The samples move.
 *
 * @param pull what it throws must be a {@link VoxlaneError}
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
