/** Archives and graphs that declare more than they hold, and names that are keys of `Object.prototype`. */
// Must come first: it counts buffers of modules loaded after it.
import { bufferBytesOf, FEW_BYTES } from '../../test/compare/memory';
import { readFileSync } from 'node:fs';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { failureOf } from '../../test/compare/failure';
import { buildNpy } from '../../test/compare/npyFile';
import { listWeights } from '../onnx/weights';
import { parseOnnx } from '../onnx/model';
import { readBundle } from './files/bundle';
import { readNpz } from './files/npy';

const fixture = (name: string): Uint8Array => new Uint8Array(readFileSync(`e2e/fixtures/cases/${name}`));
const bytesOf = (value: string): Uint8Array => new TextEncoder().encode(value);

describe('a zip that declares 4 GB for a thousand bytes', () => {
  it('is rejected before a buffer is created, as a checkpoint and as a bundle', () => {
    for (const read of [() => readNpz(fixture('lying.zip'), 'lying.npz'), () => readBundle(fixture('lying.zip'))]) {
      const bytes = bufferBytesOf(() => {
        expect(failureOf(read)).toMatchObject({ code: 'format' });
      });
      expect(bytes).toBeLessThan(FEW_BYTES);
    }
  });
});

describe('an ONNX file with a weight of 2^126 values according to its shape', () => {
  it('is opened without buffers for its values', () => {
    const bytes = bufferBytesOf(() => {
      const [weight] = listWeights(parseOnnx(fixture('huge-dims.onnx'), 'huge-dims.onnx'));
      expect(weight!.name).toBe('w');
    });
    expect(bytes).toBeLessThan(FEW_BYTES);
  });
});

describe('golden bundles with names such as "__proto__"', () => {
  const stages = ['__proto__', 'constructor', 'toString'].map((name) => ({ name, file: `stages/${name}.npy`, axes: ['sample'] }));
  const manifest = `{"__proto__":{"polluted":1},"format":"golden-bundle","version":1,"model":"__proto__","source":{"framework":"none","__proto__":{"polluted":1}},"inputs":[{"name":"x","file":"x.npy","axes":["sample"]}],"stages":${JSON.stringify(stages)},"tolerance":{"max_abs":0.01,"cosine":0.999}}`;

  it('are read, and do not change `Object.prototype`', () => {
    const files = Object.fromEntries(stages.map(({ file }) => [file, buildNpy([1], [1])]));
    const bundle = readBundle(zipSync({ 'manifest.json': bytesOf(manifest), 'x.npy': buildNpy([1], [1]), ...files }));
    expect(bundle.stages.map(({ name }) => name)).toEqual(stages.map(({ name }) => name));
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('are rejected by name if a file of the zip is named "__proto__"', () => {
    // fflate cannot write that name.
    const others = Object.fromEntries(['x.npy', ...stages.slice(1).map(({ file }) => file)].map((file) => [file, buildNpy([1], [1])]));
    const zip = zipSync({ ...others, placehold: buildNpy([1], [1]), 'manifest.json': bytesOf(manifest.replace('stages/__proto__.npy', '__proto__')) });
    const renamed = new Uint8Array(Buffer.from(Buffer.from(zip).toString('latin1').replaceAll('placehold', '__proto__'), 'latin1'));
    expect(failureOf(() => readBundle(renamed))).toMatchObject({ code: 'format', problem: expect.stringContaining('__proto__') as string });
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});
