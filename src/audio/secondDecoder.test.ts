import { describe, expect, it } from 'vitest';
import { VoxlaneError } from '../util/errors';
import { decodeFailure } from './blocks';
import { recordingNotes } from './notes';
import { continueElsewhere } from './secondDecoder';
import type { OpenAudio } from './types';

const RATE = 16_000;
const NOTE = recordingNotes.browserDecoder();

const closed: string[] = [];

/** A recording of ascending samples in pieces of 7, which ends with `failure` after `numSamples`. */
function recording(name: string, numSamples: number, failure?: Error, durationSeconds = 100 / RATE): OpenAudio {
  return {
    facts: { durationSeconds } as OpenAudio['facts'],
    notes: () => (name === 'second' ? [NOTE] : []),
    async *pieces() {
      for (let start = 0; start < numSamples; start += 7) {
        yield await Promise.resolve(Float32Array.from({ length: Math.min(7, numSamples - start) }, (_, i) => start + i));
      }
      if (failure !== undefined) throw failure;
    },
    close: () => { closed.push(name); },
  };
}

async function read(pieces: AsyncIterable<Float32Array>): Promise<number[]> {
  const samples: number[] = [];
  for await (const piece of pieces) samples.push(...piece);
  return samples;
}

const ALL = Array.from({ length: 100 }, (_, index) => index);
const DECODE_ERROR = decodeFailure(40, RATE, new DOMException('Decoding error', 'EncodingError'));

describe('continueElsewhere', () => {
  it.each([0, 7, 40, 95])('returns each sample once if the decoder fails after %i', async (numSamples) => {
    closed.length = 0;
    const audio = continueElsewhere(recording('first', numSamples, DECODE_ERROR), () => Promise.resolve(recording('second', 100)));
    expect(audio.notes()).toEqual([]);
    expect(await read(audio.pieces())).toEqual(ALL);
    expect(audio.notes()).toEqual([NOTE]);
    audio.close();
    expect(closed).toEqual(['first', 'second']);
  });

  it('opens no other decoder for an intact recording', async () => {
    const audio = continueElsewhere(recording('first', 100), () => Promise.reject(new Error('opened')));
    expect(await read(audio.pieces())).toEqual(ALL);
    expect(audio.notes()).toEqual([]);
  });

  it.each([
    ['our decoders', decodeFailure(40, RATE, new Error('a damaged packet'))],
    ['the file', new VoxlaneError({ code: 'audio-truncated', problem: 'The end is missing' }, { cause: new DOMException('gone', 'NotReadableError') })],
    ['a caller', new DOMException('stopped', 'AbortError')],
  ])('throws errors of %s', async (_, failure) => {
    const audio = continueElsewhere(recording('first', 40, failure), () => Promise.reject(new Error('opened')));
    await expect(read(audio.pieces())).rejects.toBe(failure);
  });

  it('throws the error of the first decoder if there is no other, or if it reads more or less audio', async () => {
    const none = continueElsewhere(recording('first', 40, DECODE_ERROR), () => Promise.resolve(null));
    await expect(read(none.pieces())).rejects.toBe(DECODE_ERROR);
    for (const seconds of [0.3, -0.3]) {
      closed.length = 0;
      const first = recording('first', 40, DECODE_ERROR, 10);
      const audio = continueElsewhere(first, () => Promise.resolve(recording('second', 100, undefined, 10 + seconds)));
      await expect(read(audio.pieces())).rejects.toBe(DECODE_ERROR);
      expect(closed).toEqual(['second']);
      expect(audio.notes()).toEqual([]);
    }
  });

  it('closes a decoder that was opened after the end', async () => {
    closed.length = 0;
    const audio = continueElsewhere(recording('first', 40, DECODE_ERROR), () => {
      audio.close();
      return Promise.resolve(recording('second', 100));
    });
    await expect(read(audio.pieces())).rejects.toBe(DECODE_ERROR);
    expect(closed).toEqual(['first', 'second']);
  });

  it('throws an error of the other decoder', async () => {
    const failure = new Error('second');
    const audio = continueElsewhere(recording('first', 40, DECODE_ERROR), () => Promise.resolve(recording('second', 60, failure)));
    await expect(read(audio.pieces())).rejects.toBe(failure);
  });
});
