import { describe, expect, test } from 'vitest';
import { noise } from '../../test/audio/collect';
import { RunInput, dropSource } from './source';
import { pullAll, TestSource } from '../../test/engine/pieces';

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => index % 256);
const optionsError = expect.objectContaining({ code: 'options' }) as unknown;

describe('the source of a run', () => {
  test('is used as it is if it is complete', async () => {
    const samples = noise(10);
    expect(await new RunInput(samples, 8000).settle()).toEqual({ kind: 'samples', samples, sampleRate: 8000 });
    const file = new Blob([bytes(10) as Uint8Array<ArrayBuffer>]);
    expect(await new RunInput(file, undefined).settle()).toEqual({ kind: 'file', blob: file });
    const ready = await new RunInput(bytes(10).buffer as ArrayBuffer, undefined).settle();
    expect(ready).toMatchObject({ kind: 'file', blob: { size: 10 } });
  });

  test.each([['a text'], [null], [undefined], [3], [[new Float32Array(1)]]])('is rejected if invalid: %j', (source) => {
    expect(() => new RunInput(source as never, undefined)).toThrow(optionsError);
  });

  test.each([new URL('https://example.org/a.wav'), 'https://example.org/a.wav', 'blob:x'])('is rejected with a remedy if it is an address: %s', (source) => {
    expect(() => new RunInput(source as never, undefined)).toThrow(expect.objectContaining({ code: 'options', problem: `The source is the address ${source}` }));
  });

  test('a stream of bytes becomes a file', async () => {
    const source = new TestSource([bytes(1000), bytes(0), bytes(70_000)]);
    const ready = await new RunInput(source.stream(), undefined).settle();
    if (ready.kind !== 'file') throw new Error(ready.kind);
    expect(new Uint8Array(await ready.blob.arrayBuffer())).toEqual(Uint8Array.from([...bytes(1000), ...bytes(70_000)]));
  });

  test('a stream of samples stays one', async () => {
    const samples = noise(20_000);
    for (const form of ['stream', 'iterable'] as const) {
      const source = new TestSource([samples.subarray(0, 7), samples.subarray(7)]);
      const ready = await new RunInput(form === 'stream' ? source.stream() : source, 44_100).settle();
      if (ready.kind !== 'stream') throw new Error(ready.kind);
      expect(ready.sampleRate).toBe(44_100);
      expect(source.read).toBe(1);
      expect(await pullAll(ready.feed.pull(false))).toEqual(samples);
    }
  });

  test('is rejected for samples without a rate, also as a stream', async () => {
    const refused: unknown = expect.objectContaining({ code: 'options', problem: expect.stringContaining('sampleRate') as string });
    expect(() => new RunInput(noise(10), undefined)).toThrow(refused);
    const source = new TestSource([noise(10)]);
    const input = new RunInput(source, undefined);
    await expect(input.settle()).rejects.toEqual(refused);
    input.close();
    await Promise.resolve();
    expect(source.isEnded).toBe(true);
  });

  test('is rejected for a file with a rate, also as a stream', async () => {
    expect(() => new RunInput(new Blob(['x']), 8000)).toThrow(optionsError);
    const source = new TestSource([bytes(10)]);
    const input = new RunInput(source.stream(), 8000);
    await expect(input.settle()).rejects.toEqual(optionsError);
    input.close();
    await Promise.resolve();
    expect(source.isEnded).toBe(true);
  });

  test('is rejected if another reader has it; a source that is passed on is locked', () => {
    const stream = new TestSource([bytes(10)]).stream();
    const input = new RunInput(stream, undefined);
    expect(() => new RunInput(stream, undefined)).toThrow(expect.objectContaining({ code: 'options', problem: expect.stringContaining('locked stream') as string }));
    dropSource(stream);
    input.close();
  });

  test('reports why a stream failed', async () => {
    const cause = new Error('the network is gone');
    const input = new RunInput(new TestSource([bytes(10)], cause).stream(), undefined);
    await expect(input.settle()).rejects.toMatchObject({
      code: 'audio-decode',
      problem: 'The stream failed after 10 bytes',
      cause,
    });
    await expect(new RunInput(new TestSource([], cause), undefined).settle()).rejects.toMatchObject({ code: 'audio-decode', cause });
    await expect(new RunInput(new TestSource([]), undefined).settle()).rejects.toMatchObject({ code: 'audio-no-samples' });
    const mixed = new RunInput(new TestSource<unknown>([bytes(10), 'x']) as never, undefined);
    await expect(mixed.settle()).rejects.toMatchObject({ problem: 'A piece of the stream is [object String]' });
  });

  test('is not read after the run, even if it cannot be ended', async () => {
    let read = 0;
    const endless: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({
        next: async () => {
          await new Promise((resolve) => setTimeout(resolve, 0));
          return { done: false, value: bytes(++read) };
        },
      }),
    };
    const input = new RunInput(endless as never, undefined);
    const settling = input.settle();
    await expect.poll(() => read).toBeGreaterThan(2);
    input.close();
    await settling;
    const atEnd = read;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(read).toBe(atEnd);
  });

  test('may throw when it is ended', () => {
    const thrower: AsyncIterable<Float32Array> = {
      [Symbol.asyncIterator]: () => ({
        next: () => Promise.resolve({ done: true, value: undefined }),
        return: () => { throw new Error('not now'); },
      }),
    };
    const input = new RunInput(thrower, undefined);
    expect(() => { input.close(); }).not.toThrow();
  });

  test('reports the expected type of pieces', async () => {
    const input = new RunInput(new TestSource<unknown>(['x']) as never, undefined);
    await expect(input.settle()).rejects.toMatchObject({
      code: 'options',
      problem: 'Piece 1 of the stream is [object String]',
      expected: expect.stringContaining('Uint8Array') as string,
    });
  });

  test('is ended with the run, also before its first piece', () => {
    const source = new TestSource([noise(10)]);
    const input = new RunInput(source, undefined);
    input.close();
    expect(source).toMatchObject({ isEnded: true, read: 0 });
  });
});
