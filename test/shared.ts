import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { unzipSync } from 'fflate';

/** Folder of recordings and references outside the repository. Override it with `VOXLANE_SHARED`. */
export const SHARED = process.env.VOXLANE_SHARED ?? resolve('..', 'shared');

export const SHARED_MISSING = `the folder of reference recordings is absent (${SHARED}); set VOXLANE_SHARED`;

export const hasShared = existsSync(join(SHARED, 'reference'));

/** Why tests of the recordings are skipped; null if the folder exists. */
export const NO_SHARED = hasShared ? null : SHARED_MISSING;

/** A tensor from a NumPy file. */
export interface NumpyArray {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** Reads the arrays of an `.npz` file written by NumPy: C order, little-endian. */
export function readNpz(path: string): Record<string, NumpyArray> {
  const entries = Object.entries(unzipSync(readFileSync(path)));
  return Object.fromEntries(entries.map(([name, bytes]) => [name.replace(/\.npy$/, ''), parseNpy(bytes)]));
}

const TYPES: Record<string, (buffer: ArrayBuffer) => ArrayLike<number>> = {
  '|u1': (buffer) => new Uint8Array(buffer),
  '|b1': (buffer) => new Uint8Array(buffer),
  '<f4': (buffer) => new Float32Array(buffer),
  '<f8': (buffer) => new Float64Array(buffer),
};

function parseNpy(bytes: Uint8Array): NumpyArray {
  const headerBytes = new DataView(bytes.buffer, bytes.byteOffset).getUint16(8, true);
  const header = new TextDecoder().decode(bytes.subarray(10, 10 + headerBytes));
  const descr = /'descr': '([^']+)'/.exec(header)?.[1] ?? '';
  const shape = (/'shape': \(([^)]*)\)/.exec(header)?.[1] ?? '').split(',').filter((part) => part.trim()).map(Number);
  const make = TYPES[descr];
  if (!make || header.includes('\'fortran_order\': True')) throw new Error(`unexpected array: ${header}`);
  return { shape, data: make(bytes.slice(10 + headerBytes).buffer) };
}
