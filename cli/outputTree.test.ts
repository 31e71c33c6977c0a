import { expect, test } from 'vitest';
import { resultNames } from './outputTree';

const names = (...sources: (readonly [path: string, base: string])[]): string[] => resultNames(sources.map(([path, base]) => ({ path, base })));

test('results are named after their files, with the ending if two files of a folder differ only in it', () => {
  expect(names(['a/one.wav', 'a'], ['b/two.mp3', 'b'], ['b/two.wav', 'b'])).toEqual(['one', 'two.mp3', 'two.wav']);
  expect(names(['a/talk.mp3', 'a'], ['a/talk.wav', 'a'], ['a/talk.mp3.wav', 'a'])).toEqual(['talk.mp3', 'talk.wav', 'talk.mp3.wav']);
});

test('the subfolders of a folder are kept', () => {
  expect(names(['in/a/x.wav', 'in'], ['in/b/x.wav', 'in'], ['in/y.v2.wav', 'in'])).toEqual(['a/x', 'b/x', 'y.v2']);
  expect(names(['../in/a/x.wav', '../in'])).toEqual(['a/x']);
});

test('files with equal names in different folders keep the folders below their common one', () => {
  expect(names(['a/x.wav', 'a'], ['b/x.wav', 'b'], ['b/c/y.wav', 'b/c'])).toEqual(['a/x', 'b/x', 'b/c/y']);
  expect(names(['/data/1/in/x.wav', '/data/1/in'], ['/data/2/in/x.wav', '/data/2/in'])).toEqual(['1/in/x', '2/in/x']);
  expect(names(['x.wav', '.'], ['a/x.wav', 'a'])).toEqual(['x', 'a/x']);
});

test('no two results have the same name', () => {
  const paths = ['a/x.wav', 'a/x.mp3', 'b/x.wav', 'b/x', 'x.wav', 'a/b/x.wav'];
  const found = resultNames(paths.map((path) => ({ path, base: path.slice(0, path.lastIndexOf('/') + 1) || '.' })));
  expect(found).toEqual(['a/x.wav', 'a/x.mp3', 'b/x.wav', 'b/x', 'x', 'a/b/x']);
});
