import { describe, expect, test } from 'vitest';
import { VoxlaneError } from '../util/errors';
import { GrowingArray } from '../util/values';
import { checkDiarizerOptions, checkRunOptions } from './options';
import { ProgressMeter } from './diarizer';
import { describeFailure, isGpuTrouble } from './selfCheck';

const BASE = 'https://example.org/app/index.html';

describe('options', () => {
  test('speaker bounds', () => {
    expect(checkRunOptions({})).toMatchObject({ minSpeakers: 1, maxSpeakers: Infinity, startSeconds: 0 });
    expect(checkRunOptions({ speakers: 3 })).toMatchObject({ minSpeakers: 3, maxSpeakers: 3 });
    expect(checkRunOptions({ minSpeakers: 2 })).toMatchObject({ minSpeakers: 2, maxSpeakers: Infinity });
  });

  test.each([
    [{ speakers: 0 }, /speakers is 0/],
    [{ speakers: 2.5 }, /speakers is 2.5/],
    [{ speakers: 2, minSpeakers: 2 }, /no minSpeakers or maxSpeakers with it/],
    [{ minSpeakers: 3, maxSpeakers: 2 }, /at most maxSpeakers, 2/],
    [{ startSeconds: -1 }, /startSeconds is -1/],
    [{ durationSeconds: 0 }, /durationSeconds is 0/],
    [{ durationSeconds: NaN }, /durationSeconds is NaN/],
  ])('%j is rejected with its name and the rule', (options, message) => {
    expect(() => checkRunOptions(options)).toThrow(message);
  });

  test('URLs become absolute folders', () => {
    expect(checkDiarizerOptions({}, BASE).files).toEqual({});
    const files = { models: 'https://cdn.example/m', runtime: 'ort', goldens: new URL('https://cdn.example/g/') };
    expect(checkDiarizerOptions(files, BASE).files).toEqual({
      models: 'https://cdn.example/m/',
      runtime: 'https://example.org/app/ort/',
      goldens: 'https://cdn.example/g/',
    });
    expect(() => checkDiarizerOptions({ models: 'https://' }, BASE)).toThrow(/models is https/);
  });

  test('a preset names models, or a speed on the models of auto', () => {
    expect(checkDiarizerOptions({}, BASE)).toMatchObject({ preset: 'auto', speed: 'exact', idleSeconds: 60 });
    expect(checkDiarizerOptions({ preset: 'fast' }, BASE)).toMatchObject({ preset: 'auto', speed: 'fast' });
    expect(checkDiarizerOptions({ preset: 'community-1', speed: 'fast' }, BASE)).toMatchObject({ preset: 'community-1', speed: 'fast' });
    expect(() => checkDiarizerOptions({ preset: 'fast', speed: 'exact' }, BASE)).toThrow(/speed is exact/);
    expect(() => checkDiarizerOptions({ preset: 'quick' as never }, BASE)).toThrow(/preset is quick/);
    expect(() => checkDiarizerOptions({ speed: 'quick' as never }, BASE)).toThrow(/speed is quick/);
  });

  test('an idle time is a number of seconds or Infinity', () => {
    expect(checkDiarizerOptions({ idleSeconds: Infinity }, BASE).idleSeconds).toBe(Infinity);
    for (const idleSeconds of [-1, NaN, 1e9]) {
      expect(() => checkDiarizerOptions({ idleSeconds }, BASE)).toThrow(/idleSeconds is/);
    }
  });

  test('backend, threads and batch are validated', () => {
    expect(() => checkDiarizerOptions({ backend: 'cuda' as never }, BASE)).toThrow(/backend is cuda/);
    expect(() => checkDiarizerOptions({ threads: 0 }, BASE)).toThrow(/threads is 0/);
    expect(() => checkDiarizerOptions({ batchWindows: 33 }, BASE)).toThrow(/batchWindows is 33/);
  });
});

describe('progress', () => {
  test('estimates the remaining time from the pace so far', () => {
    let now = 0;
    const meter = new ProgressMeter(() => now);
    const read = (completed: number) => meter.read({ stage: 'embedding', artifact: null, completed, total: 10 });
    expect(read(0).secondsLeft).toBeNull();
    now = 4000;
    expect(read(2).secondsLeft).toBe(16);
    now = 5000;
    expect(read(10).secondsLeft).toBe(0);
  });

  test('measures the pace again after a restart', () => {
    let now = 0;
    const meter = new ProgressMeter(() => now);
    const read = (completed: number) => meter.read({ stage: 'embedding', artifact: null, completed, total: 10 });
    read(0);
    now = 60_000;
    read(5);
    expect(read(1).secondsLeft).toBeNull();
    now = 61_000;
    expect(read(2).secondsLeft).toBe(4);
  });
});

test('a growing array keeps the appended values', () => {
  const array = new GrowingArray(Float32Array);
  for (let i = 0; i < 1000; i++) array.append([i, -i, NaN]);
  const all = array.toArray();
  expect(all).toHaveLength(3000);
  expect([...all.subarray(2997)]).toEqual([999, -999, NaN]);
});

describe('trust', () => {
  const stage = (name: string, maxAbs: number, passed: boolean) => ({
    stage: name,
    maxAbs,
    cosine: 1,
    tolerance: { maxAbs: 0.01, cosine: 0.999 },
    passed,
  });

  test('the first wrong stage is reported with its deviation', () => {
    const check = { model: 'm', backend: 'webgpu' as const, passed: false, seconds: 1, stages: [stage('fbank', 0, true), stage('embedding', 0.5, false)] };
    expect(describeFailure([check])).toBe('WebGPU failed its self-check: stage embedding deviates by 0.500, tolerance 0.01');
    const passed = { ...check, backend: 'webgpu' as const, passed: true, stages: [stage('fbank', 0, true)] };
    expect(describeFailure([passed, { ...check, backend: 'kernels' }])).toMatch(/^Our WASM kernels failed their self-check: stage embedding/);
    expect(describeFailure([{ ...check, backend: 'wasm' }])).toMatch(/^ONNX Runtime on WASM failed its self-check: stage embedding/);
  });

  test('GPU errors are distinguished from input errors', () => {
    const error = (code: VoxlaneError['code']) => new VoxlaneError({ code, problem: 'x' });
    expect((['gpu-lost', 'gpu-memory', 'gpu-wrong', 'backend-failed'] as const).every((code) => isGpuTrouble(error(code)))).toBe(true);
    expect((['audio-decode', 'cancelled', 'model-missing'] as const).some((code) => isGpuTrouble(error(code)))).toBe(false);
    expect(isGpuTrouble(new Error('x'))).toBe(false);
  });
});
