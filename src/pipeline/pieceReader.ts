import type { VoxlaneError } from '../util/errors';
import { optionError } from './options';

/** A source that gives one piece after another, taken hold of. */
export interface PieceReader {
  next(): Promise<{ readonly done?: boolean; readonly value?: unknown }>;
  /** Tells the source that nobody reads on. Whatever it answers is not heard. */
  end(reason?: VoxlaneError): void;
}

/**
 * Takes hold of a source that gives pieces; null for any other. Nothing is read yet.
 *
 * @throws VoxlaneError `options` for a stream that somebody else reads
 */
export function readerOf(source: unknown): PieceReader | null {
  if (typeof source !== 'object' || source === null) return null;
  // First of the two: some browsers' streams can be iterated, and others' not.
  if (source instanceof ReadableStream) return streamReader(source);
  if (!(Symbol.asyncIterator in source)) return null;
  const iterator = (source as AsyncIterable<unknown>)[Symbol.asyncIterator]();
  let isEnded = false;
  return {
    // Not every iterator can be told to end.
    next: async () => (isEnded ? { done: true } : iterator.next()),
    end() {
      isEnded = true;
      // One that is waiting for its own next piece ends after that. It may throw instead of rejecting.
      const end = async (): Promise<unknown> => iterator.return?.();
      end().catch(() => undefined);
    },
  };
}

function streamReader(stream: ReadableStream<unknown>): PieceReader {
  if (stream.locked) throw optionError('source', 'a stream that is being read already', 'a stream that nobody reads; a response is read once only');
  const reader = stream.getReader();
  return {
    next: () => reader.read(),
    end(reason) {
      reader.cancel(reason).catch(() => undefined);
    },
  };
}
