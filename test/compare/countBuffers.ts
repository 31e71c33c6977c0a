/**
 * Replaces the constructors of buffers and typed arrays by ones that count. What was loaded before may have kept the
 * original ones.
 */
const NAMES = [
  ...['ArrayBuffer', 'DataView', 'Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array'],
  ...['Uint32Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array'],
] as const;

/** Of all buffers that were made since then, also of those that were dropped. */
export let countedBytes = 0;

for (const name of NAMES) {
  const original = Reflect.get(globalThis, name) as new (...parameters: unknown[]) => { readonly byteLength: number };
  const counting: typeof original = new Proxy(original, {
    construct(target, parameters, newTarget) {
      const made = Reflect.construct(target, parameters, newTarget === counting ? target : newTarget) as InstanceType<typeof original>;
      // A view of a buffer asks for nothing.
      if (!(parameters[0] instanceof ArrayBuffer || parameters[0] instanceof SharedArrayBuffer)) countedBytes += made.byteLength;
      return made;
    },
  });
  // What `slice` and `map` make is made by this one.
  (original.prototype as { constructor: unknown }).constructor = counting;
  Reflect.set(globalThis, name, counting);
}
