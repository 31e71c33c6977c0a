import fc from 'fast-check';

/** An offset in a file, modulo its length. Most offsets are in the header, where most faults occur. */
const place = fc.oneof(fc.nat(40), fc.nat(400), fc.nat(0xff_ffff));
/** Sizes and counts that often cause failures. */
const number = fc.oneof(
  fc.constantFrom(0n, 1n, 2n, 0x7fn, 0x80n, 0xffn, 0x7fffn, 0x8000n, 0xffffn, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, 1n << 53n, (1n << 63n) - 1n, 1n << 63n, (1n << 64n) - 1n),
  fc.bigInt({ min: 0n, max: 0xffffn }),
);
/** Parts of text and JSON, and markers of the formats. */
const TOKENS = [
  '\n', '\r\n', '\r', '\r\r\n', '\t', ' ', '  ', '\0', '\uFEFF', '"', "'", '\\', '\\u0000', '\\ud800', ',', ':', ';', ';;', '{', '}', '[', ']', '(', ')', '<', '>', '&', '-', '.', '=',
  'null', 'true', 'NaN', '-Infinity', '1e999', '-1', '0', '1e-400', '99999999999999999999', '0x10', '__proto__', 'constructor', 'toString', '<NA>', 'SPEAKER', 'SPEAKER x 1 0 1 <NA> <NA> a <NA> <NA>\n',
  '-->', '00:00:01,000 --> 00:00:02,000\n', '99:99:99.999', '<00:00:01.000>', '<v Anna>', '</v>', '&#x110000;', '&#0;', '&constructor;', 'WEBVTT\n\n', 'NOTE', 'STYLE', '{\\an8}', '[00:00.000 --> 00:02.000]',
  'start\tend\ttext\n', '\u2028', '\u0085', '🎙️', 'é', '日本語', '"segments"', '"words"', '"chunks"', '"timestamp"', '"transcription"', '"turns"', '"speaker"', '"start"', '"end"',
  "'descr'", "'<f4'", "'O'", "'fortran_order'", "'shape'", '(-1,)', '(99999999999,)', 'manifest.json', 'RIFF', 'RF64', 'data', 'fmt ', 'ds64', 'LIST', 'OggS', 'fLaC', 'ID3', 'ftyp', 'moov', 'GGUF', 'F32', 'BF16', 'F8_E4M3',
];
const JSON_VALUES = ['null', 'true', '0', '-1', '1e308', '5e-324', '0.1', '9007199254740993', '""', '"x"', '"__proto__"', '"00:00:01.000"', '"2.5"', '[]', '{}', '[null]', '[[]]', '[0,null]', '{"start":0}', '{"__proto__":1}', '[[0,0,0,1,"x",[]]]'];

/** One change of a file. */
export type Mutation =
  | { readonly kind: 'set'; readonly at: number; readonly value: number }
  | { readonly kind: 'number'; readonly at: number; readonly bytes: 2 | 4 | 8; readonly value: bigint; readonly isLittle: boolean }
  | { readonly kind: 'insert'; readonly at: number; readonly text: string }
  | { readonly kind: 'remove'; readonly at: number; readonly count: number }
  | { readonly kind: 'repeat'; readonly at: number; readonly count: number; readonly times: number }
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'splice'; readonly at: number; readonly other: number; readonly from: number; readonly count: number }
  | { readonly kind: 'json'; readonly at: number; readonly value: string };

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), at: place, value: fc.nat(255) }),
  fc.record({ kind: fc.constant('number' as const), at: place, bytes: fc.constantFrom(2 as const, 4 as const, 8 as const), value: number, isLittle: fc.boolean() }),
  fc.record({ kind: fc.constant('insert' as const), at: place, text: fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...TOKENS) }, { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 5 }) }) }),
  fc.record({ kind: fc.constant('remove' as const), at: place, count: fc.oneof(fc.nat(8), fc.nat(500)) }),
  fc.record({ kind: fc.constant('repeat' as const), at: place, count: fc.nat(60), times: fc.oneof(fc.nat(3), fc.nat(300)) }),
  fc.record({ kind: fc.constant('cut' as const), at: place }),
  fc.record({ kind: fc.constant('splice' as const), at: place, other: fc.nat(20), from: place, count: fc.nat(300) }),
  fc.record({ kind: fc.constant('json' as const), at: fc.nat(300), value: fc.constantFrom(...JSON_VALUES) }),
);

/** Mutated `seeds`, sequences of tokens, or random bytes. */
export function mutatedFiles(seeds: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const changed = fc
    .record({ seed: fc.nat(Math.max(0, seeds.length - 1)), mutations: fc.array(mutation, { maxLength: 6, size: 'max' }) })
    .map(({ seed, mutations }) => mutations.reduce((bytes, one) => mutate(bytes, one, seeds), seeds[seed] ?? new Uint8Array(0)));
  const tokens = fc.array(fc.constantFrom(...TOKENS), { maxLength: 30 }).map((some) => new TextEncoder().encode(some.join('')));
  return fc.oneof({ weight: 20, arbitrary: changed }, { weight: 2, arbitrary: tokens }, { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) });
}

function mutate(bytes: Uint8Array, one: Mutation, seeds: readonly Uint8Array[]): Uint8Array {
  const at = one.at % (bytes.length + 1);
  switch (one.kind) {
    case 'set':
      return replaced(bytes, at, 1, Uint8Array.of(one.value));
    case 'number': {
      const view = new DataView(new ArrayBuffer(8));
      view.setBigUint64(0, BigInt.asUintN(8 * one.bytes, one.value), one.isLittle);
      return replaced(bytes, at, one.bytes, new Uint8Array(view.buffer, one.isLittle ? 0 : 8 - one.bytes, one.bytes));
    }
    case 'insert':
      return replaced(bytes, at, 0, new TextEncoder().encode(one.text));
    case 'remove':
      return replaced(bytes, at, one.count, new Uint8Array(0));
    case 'repeat': {
      const part = bytes.subarray(at, at + one.count);
      return replaced(bytes, at, 0, Uint8Array.from({ length: part.length * one.times }, (_, index) => part[index % part.length]!));
    }
    case 'cut':
      return bytes.slice(0, at);
    case 'splice': {
      const other = seeds[one.other % seeds.length] ?? bytes;
      const from = one.from % (other.length + 1);
      return replaced(bytes, at, one.count, other.subarray(from, from + one.count));
    }
    case 'json':
      return changedJson(bytes, one.at, one.value);
  }
}

function replaced(bytes: Uint8Array, at: number, count: number, by: Uint8Array): Uint8Array {
  const end = Math.min(bytes.length, at + count);
  const changed = new Uint8Array(at + by.length + bytes.length - end);
  changed.set(bytes.subarray(0, at));
  changed.set(by, at);
  changed.set(bytes.subarray(end), at + by.length);
  return changed;
}

/** Replaces one value in a JSON file; returns other files unchanged. */
function changedJson(bytes: Uint8Array, at: number, value: string): Uint8Array {
  if (bytes[0] !== 0x7b && bytes[0] !== 0x5b) return bytes;
  let content: unknown;
  try {
    content = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return bytes;
  }
  const places: (readonly [object, string])[] = [];
  const visit = (part: unknown): void => {
    if (typeof part !== 'object' || part === null) return;
    for (const [key, child] of Object.entries(part)) {
      places.push([part, key]);
      visit(child);
    }
  };
  visit(content);
  const [parent, key] = places[at % Math.max(1, places.length)] ?? [];
  if (!parent || key === undefined) return bytes;
  Object.defineProperty(parent, key, { value: JSON.parse(value) as unknown, enumerable: true, configurable: true, writable: true });
  return new TextEncoder().encode(JSON.stringify(content));
}
