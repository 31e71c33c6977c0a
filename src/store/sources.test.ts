import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { acceptedFile, addressOf, bundledSources, sourcesSchema, type AcceptedFile } from './sources';

const HASH = 'a'.repeat(64);
const REVISION = 'b'.repeat(40);
const file: AcceptedFile = {
  name: 'model v1.onnx',
  bytes: 10,
  sha256: HASH,
  license: 'CC-BY-4.0',
  hub: { repository: 'Owner/model.name', revision: REVISION, file: 'onnx/model v1.onnx' },
};
const { hub, ...unaddressed } = file;
const base = 'https://app.example/models/';

describe('schema', () => {
  test('accepts a file of a hub, a file known only by its hash, and a bundled file', () => {
    const sources = [
      file,
      { ...unaddressed, name: 'other.onnx', sha256: 'c'.repeat(64) },
      { ...unaddressed, name: 'third.onnx', sha256: 'd'.repeat(64), bundled: true },
    ];
    expect(v.parse(sourcesSchema, sources)).toEqual(sources);
  });

  test.each([
    ['nothing', []],
    ['a hash twice', [file, { ...file, name: 'other.onnx' }]],
    ['a name twice', [file, { ...file, sha256: 'c'.repeat(64) }]],
    ['a name with a folder', [{ ...file, name: '../model.onnx' }]],
    ['a name that is a folder', [{ ...file, name: '..' }]],
    ['a branch for a revision', [{ ...file, hub: { ...hub, revision: 'main' } }]],
    ['a repository without an owner', [{ ...file, hub: { ...hub, repository: 'model' } }]],
    ['a path out of the repository', [{ ...file, hub: { ...hub, file: '../../x.onnx' } }]],
    ['an address for a path', [{ ...file, hub: { ...hub, file: '/x.onnx' } }]],
    ['a short hash', [{ ...file, sha256: 'abc' }]],
    ['no bytes', [{ ...file, bytes: 0 }]],
  ])('refuses %s', (_name, sources) => {
    expect(v.is(sourcesSchema, sources)).toBe(false);
  });
});

describe('address', () => {
  const hubPath = `Owner/model.name/resolve/${REVISION}/onnx/model%20v1.onnx`;

  test.each([
    ['the public hub', file, { base }, `https://huggingface.co/${hubPath}`],
    ['another hub', file, { base, hub: 'https://mirror.example/hub/' }, `https://mirror.example/hub/${hubPath}`],
    ['self-hosting', file, { base, hub: null }, `${base}my-model/model%20v1.onnx`],
    ['self-hosting of a file without a hub', unaddressed, { base, hub: null }, `${base}my-model/model%20v1.onnx`],
    ['bundled, whatever the hub', { ...file, bundled: true }, { base }, `${base}my-model/model%20v1.onnx`],
    ['none', unaddressed, { base }, null],
  ])('%s', (_name, accepted, places, address) => {
    expect(addressOf('my-model', accepted, places)).toBe(address);
  });
});

test('files are distinguished by their hash', () => {
  expect(acceptedFile([file], HASH)).toBe(file);
  expect(acceptedFile([file], REVISION)).toBeNull();
});

test('a manifest without sources has the file next to it', () => {
  const { name, bytes, sha256, license } = file;
  const sources = bundledSources({ file: { name, bytes, sha256 }, license });
  expect(v.is(sourcesSchema, sources)).toBe(true);
  expect(addressOf('x', sources[0]!, { base })).toBe(`${base}x/model%20v1.onnx`);
});
