import { describe, expect, it } from 'vitest';
import type { ModelFile } from '../engineKeeper';
import type { Failure } from '../../ui-kit/failure';
import { engineRequest, INITIAL_STATE, reduce, type Action, type Source, type State } from '../state';
import type { PresetChoice } from './choices';
import { offerLabel } from './modelBox';
import { infoOf, isReady, offeredPreset, reduceModels } from './state';
import { storedModelsOf } from './storedModels';
import { presetsWith, STORED } from '../../../test/app/presets';
import { licenseName } from '../../ui-kit/format';

const file: ModelFile = { name: 'mine.onnx', blob: new Blob(), isTrusted: false };
const source: Source = { name: 'a.wav', load: () => Promise.resolve(new Blob()) };
const altered: Failure = { code: 'model-altered', problem: 'Unknown hash', expected: null, remedy: null };
const offline: Failure = { code: 'model-download', problem: 'No network', expected: null, remedy: null };
const preparing = (from: ModelFile | null, id = 1): Action => ({
  type: 'preparing-started',
  preparing: { id, preset: 'community-1', file: from, backend: 'auto', speed: 'exact' },
});
const part: Action = { type: 'download-progressed', download: { model: 'wespeaker', step: 'download', receivedBytes: 40, totalBytes: 100 } };
const failed = (failure: Failure, id = 1): Action => ({ type: 'preparing-failed', id, failure });
const prepared: Action = { type: 'prepared', id: 1 };
const started: Action = { type: 'started', id: 7, source, at: 0 };
const listed: Action = { type: 'models-listed', presets: presetsWith(false), stored: [STORED] };
const after = (...actions: Action[]): State => actions.reduce(reduce, INITIAL_STATE);

describe('a download', () => {
  it('selects community-1 once it is complete, not before', () => {
    const going = after(preparing(null), part);
    expect(going.options.preset).toBe('auto');
    expect(going.models.download).toMatchObject({ receivedBytes: 40 });
    const done = reduce(going, prepared);
    expect(done.options.preset).toBe('community-1');
    expect(done.notice).toBe('preset-ready');
    expect(done.models).toMatchObject({ preparing: null, download: null, stopped: null });
  });

  it('that is stopped or fails does not change the preset and keeps its progress', () => {
    const stopped = after(preparing(null), part, { type: 'preparing-stopped', id: 1 });
    expect(stopped.options.preset).toBe('auto');
    expect(stopped.notice).toBe('download-stopped');
    expect(stopped.models).toMatchObject({ preparing: null, download: null, stopped: { receivedBytes: 40 } });
    const broken = after(preparing(null), part, failed(offline)).models;
    expect(broken).toMatchObject({ preparing: null, stopped: { receivedBytes: 40 }, failure: { during: 'download' } });
  });

  it('that is stopped during its conversion is complete, and has no progress to continue from', () => {
    const converting: Action = { type: 'download-progressed', download: { model: 'wespeaker', step: 'convert', receivedBytes: 150, totalBytes: 200 } };
    const stopped = after(preparing(null), part, converting, { type: 'preparing-stopped', id: 1 });
    expect(stopped.notice).toBe('conversion-stopped');
    expect(stopped.models).toMatchObject({ preparing: null, download: null, stopped: null });
    expect(reduce(after(started, converting), { type: 'cancelled', id: 7 })).toMatchObject({ notice: 'cancelled', models: { stopped: null } });
  });

  it('that waits for another tab has no progress of its own, and keeps that of a stopped download', () => {
    const waiting: Action = { type: 'download-progressed', download: { model: 'wespeaker', step: 'wait', receivedBytes: 0, totalBytes: 1 } };
    const stopped = after(preparing(null), part, { type: 'preparing-stopped', id: 1 }, preparing(null, 2), waiting);
    expect(stopped.models).toMatchObject({ download: { step: 'wait' }, stopped: { receivedBytes: 40 } });
    const ended = reduce(stopped, { type: 'preparing-stopped', id: 2 });
    expect(ended.models).toMatchObject({ download: null, stopped: { receivedBytes: 40 } });
    expect(ended.notice).toBeNull();
  });

  it('that was replaced is ignored', () => {
    const second = after(preparing(null), preparing(file, 2));
    for (const late of [prepared, failed(offline), { type: 'preparing-stopped', id: 1 }] satisfies Action[]) {
      expect(reduce(second, late)).toBe(second);
    }
  });

  it('sets the preset of a recording started in the meantime and ends with it', () => {
    const waiting = after(preparing(null), part, started);
    expect(waiting.options.preset).toBe('community-1');
    const cancelled = reduce(waiting, { type: 'cancelled', id: 7 });
    expect(cancelled).toMatchObject({ phase: { kind: 'empty' }, notice: 'download-stopped' });
    expect(cancelled.models).toMatchObject({ preparing: null, download: null, stopped: { receivedBytes: 40 } });
  });

  it('of a run is complete when the run continues, and keeps its progress when the run fails', () => {
    const running = after(started, part, {
      type: 'progressed',
      id: 7,
      progress: { stage: 'decode', completed: 0, total: 1, secondsLeft: null },
    });
    expect(running.models).toMatchObject({ download: null, stopped: null });
    const broken = after(started, part, { type: 'failed', id: 7, failure: offline });
    expect(broken.models).toMatchObject({ download: null, stopped: { receivedBytes: 40 } });
    expect(broken.phase).toMatchObject({ kind: 'error', source });
  });
});

describe('a model file', () => {
  it('is used by subsequent runs', () => {
    const taken = after(preparing(file), prepared);
    expect(taken.models.files['community-1']).toBe(file);
    expect(engineRequest(taken)).toEqual({ backend: 'auto', preset: 'community-1', speed: 'exact', file });
  });

  it('with an unknown hash raises a question, unlike a trusted one or another failure', () => {
    const asked = after(preparing(file), failed(altered));
    expect(asked.models).toMatchObject({ question: { file, failure: altered }, failure: null, files: {} });
    expect(reduce(asked, { type: 'model-refused' }).models.question).toBeNull();
    expect(after(preparing({ ...file, isTrusted: true }), failed(altered)).models).toMatchObject({
      question: null,
      failure: { during: 'file', name: 'mine.onnx' },
    });
    expect(after(preparing(file), failed({ ...altered, code: 'model-invalid' })).models.question).toBeNull();
    // The user cannot vouch for a download with wrong bytes.
    expect(after(preparing(null), failed(altered)).models.question).toBeNull();
  });

  it('makes the preset available even if the browser could not store it', () => {
    expect(isReady(after(listed).models, 'community-1')).toBe(false);
    expect(isReady(after(listed, preparing(file), prepared).models, 'community-1')).toBe(true);
  });
});

describe('engineRequest', () => {
  it('requests the chosen preset or the one in preparation', () => {
    expect(engineRequest(INITIAL_STATE)).toEqual({ backend: 'auto', preset: 'auto', speed: 'exact', file: null });
    const wasm: Action = { type: 'options-changed', options: { backend: 'wasm' } };
    // The backend of the preparation. A different one would restart the engine and the download.
    expect(engineRequest(after(preparing(file), wasm))).toEqual({ backend: 'auto', preset: 'community-1', speed: 'exact', file });
  });

  it('uses the file of this visit for automatic too, but never for campplus', () => {
    const choose = (preset: 'auto' | 'campplus'): Action => ({ type: 'options-changed', options: { preset } });
    expect(engineRequest(after(preparing(file), prepared, choose('auto')))).toMatchObject({ preset: 'community-1', file });
    expect(engineRequest(after(preparing(file), prepared, choose('campplus')))).toMatchObject({
      preset: 'campplus',
      file: null,
    });
  });
});

describe('deleting', () => {
  it('requires confirmation and resets the preset', () => {
    const kept = after(listed, preparing(file), prepared);
    const asked = reduce(kept, { type: 'deletion-asked', model: STORED.id });
    expect(asked.models.deletionOf).toBe(STORED.id);
    const gone = reduce(asked, { type: 'model-deleted', model: STORED.id });
    expect(gone.models).toMatchObject({ deletionOf: null, stored: [], files: {} });
    // Otherwise the next recording would download it again.
    expect(gone.options.preset).toBe('auto');
    const campplus: Action = { type: 'options-changed', options: { preset: 'campplus' } };
    expect(after(listed, campplus, { type: 'model-deleted', model: STORED.id }).options.preset).toBe('campplus');
  });

  it('that fails keeps the model', () => {
    const failure = { ...offline, code: null };
    const kept = after(listed, { type: 'deletion-asked', model: STORED.id }, { type: 'deletion-failed', failure });
    expect(kept.models).toMatchObject({ deletionOf: null, stored: [STORED], failure: { during: 'deletion', failure } });
  });
});

describe('licenseName', () => {
  it('is the common name', () => {
    expect(['CC-BY-4.0', 'CC-BY-NC-4.0', 'Apache-2.0', 'MIT'].map(licenseName)).toEqual([
      'CC BY 4.0',
      'CC BY-NC 4.0',
      'Apache-2.0',
      'MIT',
    ]);
  });
});

describe('the offer', () => {
  it('is only the chosen preset, if its model is not here', () => {
    const { models } = after(listed);
    expect(['auto', 'campplus', 'community-1', 'nemotron'].map((chosen) => offeredPreset(models, chosen as PresetChoice))).toEqual([null, null, 'community-1', 'nemotron']);
    const here = after({ type: 'models-listed', presets: presetsWith(true), stored: [] }).models;
    expect(offeredPreset(here, 'nemotron')).toBeNull();
    expect(offeredPreset(INITIAL_STATE.models, 'nemotron')).toBeNull();
  });

  it('continues an interrupted download, also of an earlier visit, and names the rest', () => {
    const presets = presetsWith(false).map((info) => (info.id === 'nemotron' ? { ...info, bytes: 400e6, receivedBytes: 300e6 } : info));
    const begun = after({ type: 'models-listed', presets, stored: [] }).models;
    const label = (models: State['models'], chosen: PresetChoice): string => offerLabel(models, infoOf(models, chosen)!);
    expect(label(begun, 'nemotron')).toBe('Continue the download, 100 MB left');
    expect(label(begun, 'community-1')).toMatch(/^Download /);
    // It is listed, because only the user can delete it.
    expect(storedModelsOf(begun)).toMatchObject([{ id: 'nemotron-3', files: [], bytes: 300e6, downloadBytes: 400e6, license: 'OpenMDW-1.1' }]);
    const gone = reduceModels(begun, { type: 'model-deleted', model: 'nemotron-3' });
    expect(label(gone, 'nemotron')).toBe('Download 400 MB');
    expect(storedModelsOf(gone)).toEqual([]);
  });

  it('of one preset does not affect the files of another', () => {
    const taken = after(listed, preparing(file), prepared).models;
    expect([isReady(taken, 'community-1'), isReady(taken, 'nemotron')]).toEqual([true, false]);
    const gone = reduce(after(listed, preparing(file), prepared), { type: 'model-deleted', model: 'nemotron-3' });
    expect(gone.models.files).toEqual({ 'community-1': file });
    expect(gone.options.preset).toBe('community-1');
  });
});
