import { expect, test } from 'vitest';
import { parseCommand } from './compareOptions';

test('--list takes a graph and an optional bundle', () => {
  expect(parseCommand(['--list', 'net.onnx'])).toMatchObject({ list: true, files: ['net.onnx'] });
  expect(parseCommand(['--list', 'net.onnx', 'net.zip'])).toMatchObject({ list: true, files: ['net.onnx', 'net.zip'] });
  for (const files of [[], ['a', 'b', 'c']]) expect(() => parseCommand(['--list', ...files])).toThrow('expected one graph');
});

test('without --list, one or more bundles are expected', () => {
  expect(parseCommand(['net.zip'])).toMatchObject({ list: false, files: ['net.zip'], backend: 'wasm', map: [], tolerance: {}, json: false });
  expect(parseCommand(['a.zip', 'b.zip', '--junit', 'out.xml'])).toMatchObject({ files: ['a.zip', 'b.zip'], junit: 'out.xml' });
  expect(() => parseCommand([])).toThrow('expected a bundle');
});

test('--json takes a file or prints on standard output', () => {
  expect(parseCommand(['a.zip', '--json'])).toMatchObject({ files: ['a.zip'], json: true, jsonFile: undefined });
  expect(parseCommand(['--json', 'a.zip'])).toMatchObject({ files: ['a.zip'], json: true, jsonFile: undefined });
  expect(parseCommand(['a.zip', '--json', 'out.json', 'b.zip'])).toMatchObject({ files: ['a.zip', 'b.zip'], json: false, jsonFile: 'out.json' });
  expect(parseCommand(['a.zip', '--json=report'])).toMatchObject({ json: false, jsonFile: 'report' });
  expect(parseCommand(['a.zip', '--', '--json', 'x.json'])).toMatchObject({ files: ['a.zip', '--json', 'x.json'], jsonFile: undefined });
  expect(() => parseCommand(['a.zip', '--json='])).toThrow('--json= names no file');
  expect(() => parseCommand(['--list', 'a.onnx', '--json', 'x.json'])).toThrow('--list writes no report');
});

test('--map can be repeated, and value names can contain "="', () => {
  expect(parseCommand(['a.zip', '--map', 'lstm=/lstm/Y', '--map', 'y=a=b'])).toMatchObject({ map: [['lstm', '/lstm/Y'], ['y', 'a=b']] });
});

test('omitted tolerances stay absent', () => {
  expect(parseCommand(['a.zip', '--rtol', '1e-3', '--cosine', '0.99'])).toMatchObject({ tolerance: { rtol: 1e-3, cosine: 0.99 } });
  expect(Object.keys((parseCommand(['a.zip', '--atol', '0']) as { tolerance: object }).tolerance)).toEqual(['atol']);
});

test('--decisions takes a kind with an optional threshold or number of places', () => {
  const ruleOf = (...args: string[]): unknown => (parseCommand(['a.zip', ...args]) as { decisions: unknown }).decisions;
  expect(ruleOf()).toBeUndefined();
  expect(ruleOf('--decisions', 'argmax')).toEqual({ kind: 'argmax' });
  expect(ruleOf('--decisions=threshold=0')).toEqual({ kind: 'threshold', threshold: 0 });
  expect(ruleOf('--decisions', 'ranking=5')).toEqual({ kind: 'ranking', top: 5 });
});

test('--precision takes one bundle and one backend', () => {
  expect(parseCommand(['a.zip', '--precision'])).toMatchObject({ precision: true, limit: 50, backend: 'wasm' });
  expect(parseCommand(['a.zip', '--precision', '--limit', '3'])).toMatchObject({ limit: 3 });
  expect(() => parseCommand(['a.zip', 'b.zip', '--precision'])).toThrow('--precision takes one bundle');
});

test.each([
  [['--precision', '--rtol', '0.1'], '--rtol has no effect with --precision'],
  [['--precision', '--form', 'float32'], '--form has no effect with --precision'],
  [['--list', '--backend', 'wasm'], '--backend has no effect with --list, which compares nothing. Leave it out.'],
  [['--list', '--thorough'], '--thorough has no effect with --list'],
  [['--list', '--map', 'a=b'], '--map has no effect with --list'],
  [['--precision', '--backend', 'both'], '--precision takes one backend'],
  [['--precision', '--junit', 'x.xml'], '--precision cannot be combined with --junit'],
  [['--precision', '--limit=-1'], '--limit is -1. Expected a whole number of 0 or more.'],
  [['--limit', '3'], '--limit is an option of --precision'],
  [['--decisions', 'turns'], '--decisions is turns. Expected argmax or threshold or ranking or none.'],
  [['--decisions', 'ranking=0'], '--decisions is ranking=0. Expected argmax, threshold=X, ranking=N with N of at least 1, or none.'],
  [['--decisions', 'threshold='], '--decisions is threshold=. Expected argmax, threshold=X, ranking=N with N of at least 1, or none.'],
  [['--map', 'lstm'], '--map is lstm. Expected STAGE=VALUE.'],
  [['--map', '=y'], '--map is =y. Expected STAGE=VALUE.'],
  [['--rtol=-1'], '--rtol is -1. Expected 0 or more.'],
  [['--atol', 'x'], '--atol is x. Expected a number.'],
  [['--cosine', '1.5'], '--cosine is 1.5. Expected a number from -1 to 1.'],
  [['--backend', 'cuda'], '--backend is cuda. Expected webgpu or wasm or both.'],
] as const)('%j is rejected before a browser starts', (args, message) => {
  expect(() => parseCommand(['a.zip', ...args])).toThrow(message);
});
