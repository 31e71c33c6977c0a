/** Continues a recording with another decoder if that of the browser fails after its first packets. */
import { VoxlaneError } from '../util/errors';
import type { OpenAudio } from './types';

/** If the other decoder has less or more audio than this, it has lost some, and its samples would have wrong times. */
const MAX_DIFFERENCE_SECONDS = 0.25;

/**
 * Reads a recording. If WebCodecs fails in the middle, the rest comes from another decoder, and the samples that were
 * returned before remain valid.
 *
 * Other errors, and the failures of our decoders, describe the file, and another decoder would hide them.
 *
 * @param openAgain opens the same segment of the same recording at the same rate; null if no other decoder reads it
 */
export function continueElsewhere(audio: OpenAudio, openAgain: () => Promise<OpenAudio | null>): OpenAudio {
  let second: OpenAudio | null = null;
  let isClosed = false;
  return {
    facts: audio.facts,
    notes: () => [...audio.notes(), ...(second?.notes() ?? [])],
    async *pieces() {
      let numSamples = 0;
      try {
        for await (const piece of audio.pieces()) {
          numSamples += piece.length;
          yield piece;
        }
        return;
      } catch (failure) {
        if (!isOfWebCodecs(failure)) throw failure;
        const other = await openAgain();
        if (!other) throw failure;
        if (isClosed || Math.abs(other.facts.durationSeconds - audio.facts.durationSeconds) > MAX_DIFFERENCE_SECONDS) {
          other.close();
          throw failure;
        }
        second = other;
      }
      yield* withoutFirst(second.pieces(), numSamples);
    },
    close() {
      isClosed = true;
      audio.close();
      second?.close();
    },
  };
}

/** WebCodecs reports its errors as a DOMException, which `decodeFailure` keeps as the cause. */
function isOfWebCodecs(failure: unknown): boolean {
  return failure instanceof VoxlaneError && failure.code === 'audio-decode' && failure.cause instanceof DOMException;
}

async function* withoutFirst(pieces: AsyncIterable<Float32Array>, numSamples: number): AsyncGenerator<Float32Array, void, undefined> {
  let numLeft = numSamples;
  for await (const piece of pieces) {
    const rest = piece.subarray(Math.min(numLeft, piece.length));
    numLeft -= piece.length - rest.length;
    if (rest.length > 0) yield rest;
  }
}
