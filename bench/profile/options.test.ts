import { expect, it } from 'vitest';
import { UsageError } from '../../cli/usage';
import { parseCommand } from './options';

it('profiles both models on one WASM thread by default', () => {
  expect(parseCommand([])).toEqual({
    models: ['segmentation-3.0', 'campplus-zh-en'],
    backend: 'wasm',
    threads: 1,
    openSize: null,
    shape: null,
    runs: 5,
    top: 15,
    work: null,
    seconds: null,
    speed: 'exact',
    json: false,
  });
});

it('reads shapes and sizes', () => {
  const args = ['--model', 'a.onnx', '--backend=webgpu', '--shape', '1,998,80', '--frames', '200', '--runs=2'];
  expect(parseCommand(args)).toMatchObject({ models: ['a.onnx'], backend: 'webgpu', shape: [1, 998, 80], openSize: 200, runs: 2 });
});

it.each([
  [['--threads', '0'], /--threads is 0/],
  [['--model', 'a', '--shape', '1,x'], /--shape is x/],
  [['--backend', 'cuda'], /wasm or webgpu/],
  [['--frames', '100'], /need a --model/],
  [['--speed', 'fast'], /^--speed has no effect without --work\. Leave it out$/],
  [['--work', 'a.wav', '--runs', '2'], /^--runs has no effect with --work, which profiles nothing/],
  [['--top'], /^the flag --top has no value\. Expected --top VALUE/],
  [['a.onnx'], /^a\.onnx is not a flag/],
])('rejects %j', (args, message) => {
  expect(() => parseCommand(args)).toThrow(UsageError);
  expect(() => parseCommand(args)).toThrow(message);
});
