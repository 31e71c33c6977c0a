/**
 * Replaces the constructors of buffers and typed arrays by counting ones. Modules loaded earlier may keep the original
 * constructors.
 */
const NAMES = [
  ...['ArrayBuffer', 'DataView', 'Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array'],
  ...['Uint32Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array'],
] as const;

/** Total bytes of all buffers created since then, including released ones. */
export let countedBytes = 0;

for (const name of NAMES) {
  const original = Reflect.get(globalThis, name) as new (...parameters: unknown[]) => { readonly byteLength: number };
  const counting: typeof original = new Proxy(original, {
    construct(target, parameters, newTarget) {
      const made = Reflect.construct(target, parameters, newTarget === counting ? target : newTarget) as InstanceType<typeof original>;
      // A view of a buffer allocates nothing.
      if (!(parameters[0] instanceof ArrayBuffer || parameters[0] instanceof SharedArrayBuffer)) countedBytes += made.byteLength;
      return made;
    },
  });
  // `slice` and `map` use this constructor.
  (original.prototype as { constructor: unknown }).constructor = counting;
  Reflect.set(globalThis, name, counting);
}
