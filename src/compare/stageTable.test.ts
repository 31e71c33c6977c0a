/** The stages in a model's manifest must match those of its shipped golden bundle. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseManifest, type EmbeddingManifest, type Manifests, type SegmentationManifest } from '../store/manifest';
import { readBundle, tensorNamed } from './files/bundle';

const MODELS = 'models';
const GOLDENS = 'public/goldens';

/** The task of a folder's model; a graph of the task `diarization` is bundled without weights, so it has no golden outputs. */
const taskOf = (folder: string): string => (JSON.parse(readFileSync(join(MODELS, folder, 'manifest.json'), 'utf8')) as { task: string }).task;

const modelIds = readdirSync(MODELS, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && readdirSync(join(MODELS, entry.name)).includes('model.onnx'))
  .map(({ name }) => name)
  .filter((name) => taskOf(name) !== 'diarization');
const bundleIds = readdirSync(GOLDENS).map((file) => basename(file, '.zip'));

function shippedManifest(id: string): SegmentationManifest | EmbeddingManifest {
  const path = join(MODELS, id, 'manifest.json');
  const value = JSON.parse(readFileSync(path, 'utf8')) as { task: keyof Manifests };
  return parseManifest(value.task, value, path);
}

const openBundle = (id: string): ReturnType<typeof readBundle> => readBundle(readFileSync(join(GOLDENS, `${id}.zip`)));

it('every bundled model has a golden bundle, and every bundle a model', () => {
  expect(modelIds.length).toBeGreaterThan(0);
  expect(bundleIds.toSorted()).toEqual(modelIds.toSorted());
});

describe.each(modelIds)('%s', (id) => {
  const { stages, input, output, sampleRate } = shippedManifest(id);
  const bundle = openBundle(id);

  it('has the same stages in manifest and bundle, in the same order and with the same axes', () => {
    const named = (list: readonly { readonly name: string; readonly axes: readonly string[] }[]): object[] =>
      list.map(({ name, axes }) => ({ name, axes }));
    expect(named(stages)).toEqual(named(bundle.stages));
  });

  it("ends at the graph's output, and begins before the graph where a stage has no value of it", () => {
    const last = stages.at(-1)!;
    expect([last.value, last.axes]).toEqual([output.name, output.axes]);
    const outside = stages.filter(({ value }) => value === null);
    expect(outside).toEqual(stages.slice(0, outside.length));
    // The graph's input has the axes of the last stage before it.
    for (const { axes } of outside.slice(-1)) expect(axes).toEqual(input.axes);
  });

  it.each(stages.filter(({ frames }) => frames))('puts every frame of $name inside the waveform', ({ name, axes, frames }) => {
    const numSamples = tensorNamed(bundle.inputs, 'waveform').data.length;
    const numFrames = tensorNamed(bundle.stages, name).shape[axes.indexOf('frame')]!;
    const { centerSamples, stepSamples } = frames!;
    const lastCenter = centerSamples + (numFrames - 1) * stepSamples;
    // A frame extends equally before and after its center, so the last frame is about as far from the end as the first is
    // from the start, and no further frame fits. Layers that pad their input may have one more step.
    expect(lastCenter).toBeLessThan(numSamples);
    expect(lastCenter + stepSamples).toBeGreaterThan(numSamples - centerSamples - stepSamples);
    // Frames of 1 s or more, or of less than 1 ms, would be in another unit.
    expect(stepSamples).toBeGreaterThan(sampleRate / 1000);
    expect(stepSamples).toBeLessThan(sampleRate);
  });
});

describe('a list of stages', () => {
  const manifest = JSON.parse(readFileSync(join(MODELS, 'segmentation-3.0', 'manifest.json'), 'utf8')) as object;
  const still = { name: 'fbank', value: null, axes: ['batch'] };
  const frames = { centerSamples: 0.5, stepSamples: 10 };
  const moving = { name: 'lstm', value: 'lstm', axes: ['frame'], frames };

  it.each<[string, unknown, RegExp]>([
    ['is missing', undefined, /stages/],
    ['is empty', [], /stages/],
    ['has a name twice', [moving, { ...moving, value: 'other' }], /stages: must not list a stage twice/],
    ['has a frame axis without frames', [{ ...still, axes: ['frame'] }], /stages\.0: must have frames if/],
    ['has frames without a frame axis', [{ ...still, frames }], /stages\.0: must have frames if/],
    ['has no value', [{ name: 'lstm', axes: ['batch'] }], /stages\.0\.value/],
    ['has a step of no samples', [{ ...moving, frames: { ...frames, stepSamples: 0 } }], /stepSamples/],
  ])('is rejected if it %s', (_name, stages, problem) => {
    expect(() => parseManifest('segmentation', { ...manifest, stages }, 'here')).toThrow(problem);
  });

  it('may have a stage before the graph and one without frames', () => {
    expect(parseManifest('segmentation', { ...manifest, stages: [still, moving] }, 'here').stages).toEqual([still, moving]);
  });
});
