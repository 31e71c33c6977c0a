/** What stands in the header, in place of what is true of the values. */
export interface NpyOptions {
  readonly descr?: string;
  readonly fortranOrder?: boolean;
  readonly shape?: string;
  readonly version?: 1 | 2 | 3;
  /** The whole dictionary. */
  readonly header?: string;
}

/** Builds a `.npy` file of float32 values, as numpy does: the values begin at a multiple of 64 bytes. */
export function buildNpy(shape: readonly number[], values: readonly number[], options: NpyOptions = {}): Uint8Array {
  const { descr = '<f4', fortranOrder = false, version = 1 } = options;
  const sizes = options.shape ?? `(${shape.map((size) => `${size},`).join(' ')})`;
  const dictionary =
    options.header ?? `{'descr': '${descr}', 'fortran_order': ${fortranOrder ? 'True' : 'False'}, 'shape': ${sizes}, }`;
  const textStart = version === 1 ? 10 : 12;
  const dataStart = Math.ceil((textStart + dictionary.length + 1) / 64) * 64;
  const file = new Uint8Array(dataStart + 4 * values.length);
  file.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0]);
  const view = new DataView(file.buffer);
  if (version === 1) view.setUint16(8, dataStart - textStart, true);
  else view.setUint32(8, dataStart - textStart, true);
  const text = `${dictionary.padEnd(dataStart - textStart - 1)}\n`;
  file.set(new TextEncoder().encode(text), textStart);
  values.forEach((value, index) => { view.setFloat32(dataStart + 4 * index, value, true); });
  return file;
}
