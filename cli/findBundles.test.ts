import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findBundles } from './findBundles';

let folder: string;
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'voxlane-test-')); });
afterEach(() => { rmSync(folder, { recursive: true, force: true }); });

function put(...names: string[]): void {
  for (const name of names) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, 'x');
  }
}

const at = (name: string): string => join(folder, name);

/** Bundles as `bundle` or `bundle + graph`, and skipped files, with paths relative to the folder. */
function search(paths: readonly string[] = [folder], hasModel = false) {
  const from = (path: string): string => relative(folder, path);
  const { isSingle, bundles, skipped } = findBundles(paths, hasModel);
  return {
    isSingle,
    bundles: bundles.map(({ bundle, graph }) => [from(bundle), ...(graph === null ? [] : [from(graph)])].join(' + ')),
    skipped: skipped.map(({ path, reason }) => `${from(path)} ${reason}`),
  };
}

test('a folder yields its zip files, .npz files with a graph, and folders with a manifest, sorted by name', () => {
  put('net-10.zip', 'net-2.zip', 'net-2.onnx', 'pair.npz', 'pair.onnx', 'pair.onnx.data', 'open/manifest.json', 'open/stages/a.npy', 'open.onnx');
  expect(search()).toEqual({
    isSingle: false,
    bundles: ['net-2.zip + net-2.onnx', 'net-10.zip', 'open + open.onnx', 'pair.npz + pair.onnx'],
    skipped: [],
  });
});

test('subfolders are searched, unless they are bundles', () => {
  put('a/b/deep.zip', 'a/loose/x.npy', 'a/parts/inputs/x.npy', 'a/parts/stages/y.npy', 'a/test/model.onnx', 'a/test/test_data_set_0/input_0.pb', '.hidden/z.zip', '.DS_Store');
  expect(search()).toEqual({ isSingle: false, bundles: ['a/b/deep.zip', 'a/loose', 'a/parts', 'a/test'], skipped: [] });
});

test('skipped files are listed with the reason', () => {
  put('a.zip', 'a.npz', 'a.onnx', 'lone.onnx', 'weights.safetensors', 'notes.txt');
  symlinkSync(folder, at('loop'));
  expect(search()).toEqual({
    isSingle: false,
    bundles: ['a.zip + a.onnx'],
    skipped: [
      'a.npz has the same name as another bundle, a.zip',
      'lone.onnx is a graph without a bundle of the same name',
      'loop is a link to a folder',
      'notes.txt is not a golden bundle',
      'weights.safetensors has no graph weights.onnx beside it',
    ],
  });
});

test('with a common graph, .npz files need no graph', () => {
  put('a.npz', 'b.npz');
  expect(search([folder], true)).toMatchObject({ bundles: ['a.npz', 'b.npz'], skipped: [] });
});

test('one file, one folder that is a bundle, or a bundled model is a single bundle; a named file is never skipped', () => {
  put('a.npz', 'open/manifest.json', 'two/x.zip');
  expect(search([at('a.npz')])).toEqual({ isSingle: true, bundles: ['a.npz'], skipped: [] });
  expect(search([`${at('open')}/`])).toMatchObject({ isSingle: true, bundles: ['open'] });
  expect(findBundles(['segmentation-3.0'], false)).toEqual({ isSingle: true, bundles: [{ bundle: 'segmentation-3.0', graph: null }], skipped: [] });
  expect(search([at('absent.zip')])).toMatchObject({ isSingle: true, bundles: ['absent.zip'] });
  expect(search([at('a.npz'), at('two')])).toEqual({ isSingle: false, bundles: ['a.npz', 'two/x.zip'], skipped: [] });
});

test('a folder without bundles yields none', () => {
  put('readme.txt');
  expect(search()).toMatchObject({ isSingle: false, bundles: [], skipped: ['readme.txt is not a golden bundle'] });
});
