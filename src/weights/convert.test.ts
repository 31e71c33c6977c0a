import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MemoryStorage } from '../../test/store/memory';
import { countingSource, type CountingSource } from '../../test/weights/countingSource';
import { NETWORK, networkFile, seededTensors } from '../../test/weights/network';
import type { TensorToWrite } from '../../test/weights/safetensorsFile';
import { parseGraphAlone } from '../onnx/model';
import { BlobSink } from '../store/byteSink';
import { blobSource } from '../store/byteSource';
import { ModelCache } from '../store/cache';
import { PieceSink, PieceSource } from '../store/pieces';
import { sha256Hex } from '../util/hash';
import { halfToFloat32 } from '../util/numberTypes';
import { sizeOf } from '../util/shape';
import { bindRounded, bindWeights, type BoundWeights, loadWeights, type ReadOptions, type WeightsProgress } from './bind';
import { type Converted, convertedBytes, convertedTensors, convertWeights, type WeightsForm } from './convert';
import { type ExpectedTensor, expectedWeights } from './expected';
import { openSafetensors } from './safetensors';

const FROM = 'a1'.repeat(32);
const PIECE_BYTES = 100;

async function open(file: Uint8Array<ArrayBuffer>, expected = NETWORK): Promise<{ source: CountingSource; bound: BoundWeights }> {
  const source = countingSource(file);
  return { source, bound: bindWeights(await openSafetensors(source), expected) };
}

/** Converts into memory and returns the weights of the new file. */
async function converted(form: WeightsForm, tensors = seededTensors()): Promise<{ facts: Converted; blob: Blob; weights: ReadonlyMap<string, Uint8Array<ArrayBuffer>>; metadata: ReadonlyMap<string, string> }> {
  const sink = new BlobSink();
  const facts = await convertWeights((await open(networkFile(tensors))).bound, form, FROM, sink);
  const file = await openSafetensors(blobSource(sink.file!, 'converted.safetensors'));
  return { facts, blob: sink.file!, metadata: file.metadata, weights: await loadWeights(bindWeights(file, convertedTensors(NETWORK, form))) };
}

const floatsOf = ({ data }: TensorToWrite): Float32Array => data as Float32Array;
const bytesOf = ({ data }: TensorToWrite): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

describe('convertWeights to float16', () => {
  it('rounds the matrices and keeps all other tensors', async () => {
    const { weights } = await converted('float16');
    const tensors = seededTensors();
    for (const { name, channelAxis } of NETWORK) {
      const bytes = weights.get(name)!;
      if (channelAxis === null) expect(Buffer.from(bytes).equals(bytesOf(tensors[name]!))).toBe(true);
      else {
        const rounded = halfToFloat32(bytes);
        // Values below 1 in magnitude: half a unit of 11 bits.
        floatsOf(tensors[name]!).forEach((value, index) => { expect(Math.abs(rounded[index]! - value)).toBeLessThanOrEqual(2 ** -12); });
        expect(rounded).not.toEqual(floatsOf(tensors[name]!));
      }
    }
  });

  it('is lossless for what is made from it: as float32 the rounded values, as int8 the same file as from these', async () => {
    const { blob, weights } = await converted('float16');
    const rounded = Object.fromEntries(Object.entries(seededTensors()).map(([name, tensor]) => {
      const isMatrix = NETWORK.find((one) => one.name === name)!.channelAxis !== null;
      return [name, isMatrix ? { ...tensor, data: halfToFloat32(weights.get(name)!) } : tensor];
    }));
    const bound = bindRounded(await openSafetensors(blobSource(blob, 'rounded.safetensors')), NETWORK, convertedTensors(NETWORK, 'float16'));
    expect(await loadWeights(bound)).toEqual(await loadWeights((await open(networkFile(rounded))).bound));
    const progress: WeightsProgress[] = [];
    const sink = new BlobSink();
    const facts = await convertWeights(bound, 'int8', FROM, sink, { onProgress: (one) => progress.push(one) });
    expect(facts).toEqual((await converted('int8', rounded)).facts);
    expect(progress.at(-1)).toEqual({ doneBytes: 2 * bound.valueBytes, totalBytes: 2 * bound.valueBytes });
  });

  it.each<[string, number[], RegExp]>([
    ['a value beyond its range', [1, -70000, ...Array<number>(13).fill(1)], /^The tensor product of model\.safetensors has the value -70000 at position 1, which float16 cannot hold$/],
    ['only values below its range', Array<number>(15).fill(1e-9), /^The tensor product of model\.safetensors has only values that float16 rounds to zero$/],
  ])('rejects a tensor with %s', async (_name, values, problem) => {
    const tensors = { ...seededTensors(), product: { shape: [5, 3], data: Float32Array.from(values) } };
    await expect(converted('float16', tensors)).rejects.toMatchObject({ code: 'model-invalid', problem: expect.stringMatching(problem) as string });
    // The other form holds these values. The fine part of the second tensor has zeros only, which is no fault.
    const int8 = (await converted('int8', tensors)).weights;
    const scales = new Float32Array(int8.get('product.scale')!.buffer);
    const found = Array.from(new Int8Array(int8.get('product')!.buffer), (multiple, index) => multiple * scales[index % 3]!);
    found.forEach((value, index) => { expect(Math.abs(value - values[index]!)).toBeLessThanOrEqual(scales[index % 3]!); });
  });
});

describe('convertWeights to int8', () => {
  it('quantizes the matrices per output channel and keeps all other tensors', async () => {
    const { weights } = await converted('int8');
    const tensors = seededTensors();
    for (const { name, shape, channelAxis } of NETWORK) {
      const bytes = weights.get(name)!;
      if (channelAxis === null) {
        expect(Buffer.from(bytes).equals(bytesOf(tensors[name]!))).toBe(true);
        continue;
      }
      const scales = new Float32Array(weights.get(`${name}.scale`)!.buffer);
      expect(scales).toHaveLength(shape[channelAxis]!);
      const multiples = new Int8Array(bytes.buffer);
      const fine = new Int8Array(weights.get(`${name}.fine`)!.buffer);
      const fineScales = new Float32Array(weights.get(`${name}.fine.scale`)!.buffer);
      expect(Array.from(fineScales)).toEqual(Array.from(scales, (scale) => Math.fround(scale / 254)));
      const inner = shape.slice(channelAxis + 1).reduce((product, size) => product * size, 1);
      floatsOf(tensors[name]!).forEach((value, index) => {
        const scale = scales[Math.floor(index / inner) % scales.length]!;
        // Half a step, plus the rounding of the scale to 24 bits.
        expect(Math.abs(multiples[index]! * scale - value)).toBeLessThanOrEqual((scale / 2) * (1 + 2 ** -15));
        const channel = Math.floor(index / inner) % scales.length;
        // The same for what is left: half a step, plus the roundings of the scale.
        const found = multiples[index]! * scale + fine[index]! * fineScales[channel]!;
        expect(Math.abs(found - value)).toBeLessThanOrEqual(fineScales[channel]! / 2 + scale * 2 ** -16);
      });
      expect(multiples.reduce((most, multiple) => Math.max(most, Math.abs(multiple)), 0)).toBe(127);
    }
    expect([...weights.keys()].filter((name) => name.endsWith('.scale'))).toEqual(['linear.weight', 'product', 'conv.weight'].flatMap((name) => [`${name}.scale`, `${name}.fine.scale`]));
  });
});

describe.each<WeightsForm>(['float16', 'int8'])('the file converted to %s', (form) => {
  it('has the size known beforehand, its own hash, and the hash of its original', async () => {
    const { facts, blob, metadata } = await converted(form);
    expect(facts).toEqual({ bytes: convertedBytes(NETWORK, form), sha256: await sha256Hex(new Uint8Array(await blob.arrayBuffer())) });
    expect(blob.size).toBe(facts.bytes);
    expect([...metadata]).toEqual([['form', form], ['from', FROM]]);
  });

  it('is the same in a second conversion', async () => {
    expect((await converted(form)).facts).toEqual((await converted(form)).facts);
  });

  it('is made from one tensor at a time', async () => {
    const { source, bound } = await open(networkFile());
    const sizes: number[] = [];
    const sink = new BlobSink();
    sink.write = (bytes) => {
      sizes.push(bytes.buffer.byteLength);
      return Promise.resolve();
    };
    await convertWeights(bound, form, FROM, sink);
    const tensorBytes = bound.tensors.map(({ stored }) => stored.end - stored.start);
    // Each tensor alone, twice, after the two reads of the header.
    const reads = source.reads.slice(2).map(([start, end]) => end - start);
    expect(reads.toSorted((a, b) => a - b)).toEqual([...tensorBytes, ...tensorBytes].sort((a, b) => a - b));
    expect(source.mostAtOnce()).toBe(1);
    const [header, ...written] = sizes;
    expect(Math.max(...written)).toBeLessThanOrEqual(Math.max(...tensorBytes));
    expect(header! + written.reduce((sum, size) => sum + size, 0)).toBe(convertedBytes(NETWORK, form));
  });
});

describe('into the store', () => {
  const entry = { id: 'm', file: 'model.float16.safetensors', license: null, trusted: false, made: { from: FROM, as: 'float16' } };

  async function convertInto(storage: MemoryStorage, file = networkFile(), options: ReadOptions = {}): Promise<Converted> {
    const { bound } = await open(file);
    return convertWeights(bound, 'float16', FROM, await new ModelCache(storage).makeFile(entry, convertedBytes(NETWORK, 'float16')), options);
  }
  const isEmpty = ({ pieces, entries }: MemoryStorage): boolean => pieces.size === 0 && entries.size === 0;

  it('is listed when it is complete, and read without loading it', async () => {
    const storage = new MemoryStorage(PIECE_BYTES);
    const { bytes, sha256 } = await convertInto(storage);
    const cache = new ModelCache(storage);
    const found = (await cache.findMade('m', entry.made))!;
    expect(found).toMatchObject({ ...entry, bytes, sha256 });
    expect(await cache.findMade('m', { from: FROM, as: 'int8' })).toBeNull();
    expect(await cache.findMade('other', entry.made)).toBeNull();
    expect(await cache.usage()).toMatchObject({ storedBytes: bytes, unfinishedBytes: 0 });
    const file = await openSafetensors((await cache.open(found))!);
    const weights = await loadWeights(bindWeights(file, convertedTensors(NETWORK, 'float16')));
    expect(weights).toEqual((await converted('float16')).weights);
    expect(Buffer.from((await cache.read(found))!).equals(Buffer.from(await (await converted('float16')).blob.arrayBuffer()))).toBe(true);
  });

  it.each([
    ['a changed byte', (storage: MemoryStorage) => { storage.pieces.get(`m/${FROM}.float16/1`)!.bytes[7]! ^= 1; }],
    ['a missing piece', (storage: MemoryStorage) => { storage.pieces.delete(`m/${FROM}.float16/1`); }],
    ['a short piece', (storage: MemoryStorage) => { storage.pieces.set(`m/${FROM}.float16/1`, { bytes: new Uint8Array(3), tag: null }); }],
  ])('is deleted with %s', async (_name, damage) => {
    const storage = new MemoryStorage(PIECE_BYTES);
    await convertInto(storage);
    damage(storage);
    const cache = new ModelCache(storage);
    expect(await cache.open((await cache.findMade('m', entry.made))!)).toBeNull();
    expect(isEmpty(storage)).toBe(true);
  });

  it('leaves nothing after a cancellation at any step', async () => {
    const steps: WeightsProgress[] = [];
    await convertInto(new MemoryStorage(PIECE_BYTES), networkFile(), { onProgress: (one) => steps.push(one) });
    const { valueBytes } = (await open(networkFile())).bound;
    expect(steps).toHaveLength(2 * NETWORK.length);
    expect(steps.at(-1)).toEqual({ doneBytes: 2 * valueBytes, totalBytes: 2 * valueBytes });
    expect(steps.map(({ doneBytes }) => doneBytes)).toEqual(steps.map(({ doneBytes }) => doneBytes).toSorted((a, b) => a - b));
    for (const { doneBytes: last } of steps) {
      const storage = new MemoryStorage(PIECE_BYTES);
      const abort = new AbortController();
      const onProgress = ({ doneBytes }: WeightsProgress): void => { if (doneBytes === last) abort.abort(); };
      await expect(convertInto(storage, networkFile(), { signal: abort.signal, onProgress })).rejects.toMatchObject({ code: 'cancelled' });
      expect(isEmpty(storage)).toBe(true);
    }
  });

  it('leaves nothing that looks complete if the page is closed, and the next conversion replaces it', async () => {
    const storage = new MemoryStorage(PIECE_BYTES);
    const sink = await new ModelCache(storage).makeFile(entry, 0);
    await sink.write(new Uint8Array(10 * PIECE_BYTES).fill(1));
    expect(storage.pieces.size).toBe(10);
    expect(await new ModelCache(storage).findMade('m', entry.made)).toBeNull();
    const { bytes } = await convertInto(storage);
    expect(storage.pieces.size).toBe(Math.ceil(bytes / PIECE_BYTES));
    const cache = new ModelCache(storage);
    expect(await cache.open((await cache.findMade('m', entry.made))!)).not.toBeNull();
  });

  it('leaves nothing if the storage is full at any piece', async () => {
    const { bytes } = await convertInto(new MemoryStorage(PIECE_BYTES));
    for (let room = 0; room < bytes; room += PIECE_BYTES) {
      const storage = new MemoryStorage(PIECE_BYTES, room);
      await expect(convertInto(storage)).rejects.toMatchObject({ code: 'storage', problem: `The file model.float16.safetensors could not be stored, because the storage of this browser is full: it needs ${bytes} bytes, and there is room for ${room} bytes` });
      expect(isEmpty(storage)).toBe(true);
    }
  });

  it('leaves nothing if the original cannot be read, at any read', async () => {
    const { source } = await open(networkFile());
    for (let failing = source.reads.length; failing < source.reads.length + 2 * NETWORK.length; failing++) {
      const storage = new MemoryStorage(PIECE_BYTES);
      const { source: broken, bound } = await open(networkFile());
      const read = broken.read.bind(broken);
      broken.read = (start, end) => (broken.reads.length === failing ? Promise.reject(new Error('unplugged')) : read(start, end));
      await expect(convertWeights(bound, 'float16', FROM, await new ModelCache(storage).makeFile(entry, 0))).rejects.toThrow('unplugged');
      expect(isEmpty(storage)).toBe(true);
    }
  });

  it('writes nothing before all values are checked', async () => {
    const storage = new MemoryStorage(1);
    let numPuts = 0;
    const put = storage.shelf.put.bind(storage.shelf);
    storage.shelf.put = (name, piece) => {
      numPuts++;
      return put(name, piece);
    };
    const tensors = { ...seededTensors(), scalar: { shape: [], data: Float32Array.of(NaN) } };
    await expect(convertInto(storage, networkFile(tensors))).rejects.toMatchObject({ code: 'model-invalid', problem: 'The tensor scalar of model.safetensors has a NaN or infinite value at position 0' });
    expect(numPuts).toBe(0);
  });
});

describe('the tensors of Nemotron 3 Diarization', () => {
  const expected = expectedWeights(parseGraphAlone(new Uint8Array(readFileSync(new URL('../../models/nemotron-3-diarization/model.onnx', import.meta.url))), 'model.onnx'));

  it('take 2 bytes per matrix value as float16, and as int8 in layers, and 4 per other value and scale', () => {
    const numOf = (tensors: readonly ExpectedTensor[]): number => tensors.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    const matrices = expected.filter(({ channelAxis }) => channelAxis !== null);
    const others = expected.filter(({ channelAxis }) => channelAxis === null);
    const inner = matrices.filter(({ isOuter }) => !isOuter);
    const numScales = inner.reduce((sum, { shape, channelAxis }) => sum + shape[channelAxis!]!, 0);
    const numFloats = numOf(expected) - numOf(inner) + 2 * numScales;
    const headers = [convertedBytes(expected, 'float16') - 2 * numOf(matrices) - 4 * numOf(others), convertedBytes(expected, 'int8') - 2 * numOf(inner) - 4 * numFloats];
    const numTensors = [expected.length, expected.length + 3 * inner.length];
    // As docs/presets.md states.
    expect((['float16', 'int8'] as const).map((form) => Math.round(convertedBytes(expected, form) / 1e6))).toEqual([199, 203]);
    headers.forEach((bytes, index) => { expect(bytes / numTensors[index]!).toSatisfy((perTensor: number) => perTensor > 100 && perTensor < 140); });
  });

  const scaled = expected.map((tensor): ExpectedTensor => ({ ...tensor, shape: tensor.shape.map((size) => Math.ceil(size / 8)) }));
  // In the order of the published file.
  const file = networkFile(seededTensors(scaled.toSorted((a, b) => (a.name < b.name ? -1 : 1))));

  it('are read with an eighth of each size from the start of a stored file to its end: all, then vectors, then matrices', async () => {
    const storage = new MemoryStorage(1 << 14);
    const sink = new PieceSink(storage, 'original', { name: 'original', bytes: file.length }, () => Promise.resolve());
    await sink.write(file);
    await sink.finish('');
    let numReads = 0;
    const get = storage.shelf.get.bind(storage.shelf);
    storage.shelf.get = (name) => {
      numReads++;
      return get(name);
    };
    const bound = bindWeights(await openSafetensors(new PieceSource(storage, 'original', 'original', file.length)), scaled);
    const numHeaderReads = numReads;
    await convertWeights(bound, 'float16', FROM, new BlobSink());
    expect(numReads - numHeaderReads).toBeLessThanOrEqual(3 * storage.pieces.size);
  });

  it('are converted and bound with an eighth of each size', async () => {
    for (const form of ['float16', 'int8'] as const) {
      const storage = new MemoryStorage(1 << 16);
      const { bound } = await open(file, scaled);
      const sink = await new ModelCache(storage).makeFile({ id: 'm', file: 'f', license: null, trusted: false, made: { from: FROM, as: form } }, 0);
      const { bytes } = await convertWeights(bound, form, FROM, sink);
      expect(bytes).toBe(convertedBytes(scaled, form));
      const cache = new ModelCache(storage);
      const source = (await cache.open((await cache.findMade('m', { from: FROM, as: form }))!))!;
      const weights = await loadWeights(bindWeights(await openSafetensors(source), convertedTensors(scaled, form)));
      expect(weights.size).toBe(form === 'int8' ? 417 + 3 * scaled.filter(({ channelAxis, isOuter }) => channelAxis !== null && !isOuter).length : 417);
    }
  });
});
