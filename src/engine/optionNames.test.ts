import { describe, expect, test } from 'vitest';
import { checkDiarizerNames, checkRunNames, checkRunOptions, splitOptions } from './options';
import { ProgressMeter } from './diarizer';

describe('names of options', () => {
  test.each<[(options: object) => void, object, string, string]>([
    [checkRunNames, { speaker: 2 }, 'speaker', 'speakers'],
    [checkRunNames, { minSpeaker: 2 }, 'minSpeaker', 'minSpeakers'],
    [checkRunNames, { progress: null }, 'progress', 'onProgress'],
    [checkRunNames, { samplerate: 8000 }, 'samplerate', 'sampleRate'],
    [checkDiarizerNames, { modelfile: null }, 'modelfile', 'modelFile'],
    [checkDiarizerNames, { thread: 2 }, 'thread', 'threads'],
    [checkDiarizerNames, { speakers: 2 }, 'speakers', 'speed'],
    // Only cancelable calls have a signal.
    [checkDiarizerNames, { signal: null }, 'signal', 'speed'],
    [splitOptions, { modle: 'x' }, 'modle', 'models'],
  ])('%o: rejects an unknown option with a suggestion', (check, options, name, nearest) => {
    expect(() => {
      check(options);
    }).toThrow(expect.objectContaining({ code: 'options', problem: `There is no option ${name} here`, expected: `an existing option, probably ${nearest}` }));
  });

  test.each([null, 'fast', 3])('rejects %j', (options) => {
    expect(() => {
      checkRunNames(options as never);
    }).toThrow(expect.objectContaining({ code: 'options' }));
  });

  test('splits combined options', () => {
    const { signal } = new AbortController();
    expect(splitOptions({ preset: 'fast', speakers: 2, signal })).toEqual({ diarizer: { preset: 'fast' }, run: { speakers: 2, signal } });
  });
});

test.each([
  ['signal', {}],
  ['signal', true],
  ['onProgress', 1],
  ['hook', 'log'],
  ['onPreview', {}],
])('%s is not %j', (name, value) => {
  expect(() => { checkRunNames({ [name]: value }); }).toThrow(expect.objectContaining({ code: 'options', problem: expect.stringContaining(name) as string }));
});

// Only Node opens a path.
test.each(['model.onnx', 'file:///model.onnx', new URL('file:///model.onnx'), new Uint8Array(4), { path: 'model.onnx' }])('modelFile is not %j', (modelFile) => {
  expect(() => { checkDiarizerNames({ modelFile }); }).toThrow(
    expect.objectContaining({ code: 'options', problem: expect.stringContaining('The option modelFile is') as string, expected: 'a Blob or File, or in Node its path' }),
  );
  for (const fit of [new Blob([]), new File([], 'model.onnx'), undefined, null]) expect(() => { checkDiarizerNames({ modelFile: fit }); }).not.toThrow();
});

test('a sample rate is a whole number of Hz', () => {
  expect(checkRunOptions({ sampleRate: 44_100 }).sampleRate).toBe(44_100);
  for (const sampleRate of [0, 0.5, 999, NaN, 1e6]) expect(() => checkRunOptions({ sampleRate })).toThrow(/sampleRate is/);
});

test('the remaining time of a stream that has not ended is unknown', () => {
  let now = 0;
  const meter = new ProgressMeter(() => now);
  const event = { stage: 'decode', artifact: null, completed: 4, total: 4 } as const;
  meter.read({ ...event, openEnded: true });
  now = 1000;
  expect(meter.read({ ...event, openEnded: true })).toEqual({ stage: 'decode', completed: 4, total: 4, secondsLeft: null, openEnded: true });
  expect(meter.read(event)).toEqual({ stage: 'decode', completed: 4, total: 4, secondsLeft: 0 });
});
