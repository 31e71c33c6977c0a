import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { GEOMETRY, meeting } from '../../test/timeline/meeting';
import type { KeptVoices, Turn } from '../../src/index';
import { CAMPPLUS, settingsOf } from '../../src/engine/settings';
import { frameMiddleSeconds } from '../../src/segmentation/geometry';
import { evaluateEach } from '../evaluate';
import { evaluateRecording, turnsOfVoices } from './evaluation';
import { FeatureCache, hashFile } from './featureCache';
import { FeatureSource } from './features';
import { floorTurns } from './floor';
import { changedSettings, parseCommand } from './options';
import { findRecordings, readReference, type Recording } from './recordings';
import { evaluationJson, evaluationTable } from './report';
import type { FeatureEngine } from './sources';

const folder = mkdtempSync(join(tmpdir(), 'voxlane-evaluate-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const NUM_WINDOWS = 40;
const { voiceOfFrame, ...arrays } = meeting({ numWindows: NUM_WINDOWS, numVoices: 3, dimension: 192, noise: 0.3, seed: 4 });
const voices: KeptVoices = {
  version: 1,
  preset: 'campplus',
  speed: 'exact',
  segmentation: { id: 'segmentation-3.0', sha256: '' },
  embedding: { id: 'campplus-zh-en', sha256: '' },
  startSeconds: 0,
  clustering: CAMPPLUS.clustering,
  dendrogram: null,
  ...arrays,
};
const durationSeconds = NUM_WINDOWS - 1 + GEOMETRY.windows.durationSeconds;

/** The generated main speakers of the meeting, without overlapping interjections. */
function reference(): Turn[] {
  const turns: Turn[] = [];
  for (let frame = 0; frame < voiceOfFrame.length; ) {
    let end = frame + 1;
    while (end < voiceOfFrame.length && voiceOfFrame[end] === voiceOfFrame[frame]) end++;
    const [startSeconds, endSeconds] = [frame, end].map((at) => frameMiddleSeconds(GEOMETRY.frames, at)) as [number, number];
    if (voiceOfFrame[frame]! >= 0) turns.push({ startSeconds, endSeconds, speaker: `V${voiceOfFrame[frame]}` });
    frame = end;
  }
  return turns;
}

describe('recordings', () => {
  test('are audio files with a reference beside them, and captures', () => {
    for (const name of ['a/one.wav', 'a/one.rttm', 'a/two.mp3', 'b/deep/three.flac', 'b/deep/three.rttm', 'c/clip_16k.wav', 'c/reference.rttm']) {
      mkdirSync(join(folder, name, '..'), { recursive: true });
      writeFileSync(join(folder, name), 'SPEAKER one 1 0.5 1.0 <NA> <NA> A <NA> <NA>\n');
    }
    expect(findRecordings([folder]).map(({ name }) => name)).toEqual(['one', 'three', 'c']);
    expect(readReference(findRecordings([join(folder, 'a')])[0]!)).toEqual([{ startSeconds: 0.5, endSeconds: 1.5, speaker: 'A' }]);
    mkdirSync(join(folder, 'empty'));
    expect(() => findRecordings([join(folder, 'empty')])).toThrow('holds no recording with a reference');
    expect(() => findRecordings([join(folder, 'none')])).toThrow('is not a folder');
  });
});

test('turns of a preset without local speakers have no floor, and no total one', () => {
  const [first] = reference();
  const row = evaluateRecording('meeting', { voices: null, durationSeconds: 30 }, reference(), reference(), null);
  expect(first).toBeDefined();
  expect(row).toMatchObject({ floor: null, score: { der: 0 } });
  const figures = evaluationJson([row]);
  expect(figures.total.floorDer).toBeNull();
  expect(figures.recordings[0]!.floorDer).toBeNull();
  expect(evaluationTable(figures)).toContain('–');
});

describe('the floor', () => {
  test('is the error that remains if every local speaker is assigned to the true speaker', () => {
    const row = evaluateRecording('meeting', { voices, durationSeconds }, reference(), floorTurns(voices, reference()), null);
    expect(row.score.der).toBe(row.floor!.der);
    // The reference lacks the interjections of the activity: false alarm, but hardly any confusion.
    expect(row.score.confusion / row.score.total).toBeLessThan(0.02);
    expect(row.speakersFound).toBe(3);
  });

  test('is found in spite of a requested number of speakers, which the turns have', () => {
    for (const speakers of [1, 2, 3]) {
      const turns = turnsOfVoices(voices, CAMPPLUS, { speakers });
      expect(new Set(turns.map(({ speaker }) => speaker)).size).toBe(speakers);
      expect(evaluateRecording('meeting', { voices, durationSeconds }, reference(), turns, null)).toMatchObject({ speakersFound: speakers, speakersThere: 3 });
    }
    const bounded = turnsOfVoices(voices, CAMPPLUS, { maxSpeakers: 2 });
    expect(new Set(bounded.map(({ speaker }) => speaker)).size).toBe(2);
  });

  test('has no turns without speech', () => {
    const silent = { ...voices, activity: new Uint8Array(voices.activity.length) };
    expect(floorTurns(silent, reference())).toEqual([]);
    expect(turnsOfVoices(silent, CAMPPLUS, {})).toEqual([]);
  });
});

describe('figures', () => {
  test('are fractions of the reference and are summed over recordings', () => {
    const turns = turnsOfVoices(voices, CAMPPLUS, { minDurationOn: 0.3, minDurationOff: 0 });
    expect(Math.min(...turns.map(({ startSeconds, endSeconds }) => endSeconds - startSeconds))).toBeGreaterThanOrEqual(0.3);
    const row = evaluateRecording('meeting', { voices, durationSeconds }, reference(), turns, reference());
    const { recordings, total } = evaluationJson([row, row]);
    const [{ der, missedSpeech, falseAlarm, confusion, peer }] = recordings as [(typeof recordings)[0]];
    expect(missedSpeech + falseAlarm + confusion).toBeCloseTo(der, 12);
    expect(total.der).toBeCloseTo(der, 12);
    expect(peer).toEqual({ der: 0, speakersFound: 3 });
    expect(total.peerDer).toBe(0);
    const table = evaluationTable({ recordings, total });
    expect(table.split('\n')[1]).toMatch(/^meeting +0\.8 /);
    expect(table).toContain('sherpa-onnx');
  });
});

test('without recordings, there are no rates', () => {
  const figures = evaluationJson([]);
  expect(figures).toEqual({ recordings: [], total: { der: null, missedSpeech: null, falseAlarm: null, confusion: null, floorDer: null, peerDer: null, countsRight: 0 } });
  expect(evaluationTable(figures)).not.toMatch(/\d%|\d\.\d +\d\.\d/);
});

describe('models that cannot be loaded', () => {
  const recordings = ['one', 'two', 'three'].map((name): Recording => ({ name, audio: join(folder, `${name}.wav`), rttm: '' }));
  const command = { preset: 'nemotron', speed: undefined, backend: 'wasm', model: undefined, options: {} } as const;
  const engineOf = (change: Partial<FeatureEngine>): FeatureEngine => ({
    programs: () => Promise.resolve(['p']),
    start: () => Promise.resolve(),
    voicesOf: () => Promise.reject(new Error('no voices')),
    turnsOf: () => Promise.resolve({ turns: [], durationSeconds: 1 }),
    close: () => Promise.resolve(),
    ...change,
  });
  const evaluateWith = (engine: FeatureEngine, cache = new FeatureCache(null)) => {
    for (const { audio } of recordings) writeFileSync(audio, audio);
    const features = new FeatureSource(command, cache, engine);
    return evaluateEach(recordings, ({ audio }) => features.turnsOf(audio), features);
  };

  test.each([
    ['the model is missing', { start: () => Promise.reject(new Error('no model')) }, 'no model'],
    ['the engine cannot be built', { programs: () => Promise.reject(new Error('no engine')) }, 'no engine'],
  ])('end the evaluation at once: %s', async (_, change, message) => {
    const turnsOf = vi.fn<FeatureEngine['turnsOf']>();
    const engine = engineOf({ turnsOf, ...change });
    await expect(evaluateWith(engine)).rejects.toThrow(message);
    expect(turnsOf).not.toHaveBeenCalled();
  });

  test('are not needed for results in the cache', async () => {
    const cache = new FeatureCache(join(folder, 'turns'));
    expect(await evaluateWith(engineOf({}), cache)).toHaveLength(3);
    expect(await evaluateWith(engineOf({ start: () => Promise.reject(new Error('no model')) }), cache)).toHaveLength(3);
  });

  test('differ from a recording that cannot be read, which is reported', async () => {
    const lines: string[] = [];
    vi.spyOn(process.stderr, 'write').mockImplementation((line) => lines.push(String(line)) > 0);
    const turnsOf: FeatureEngine['turnsOf'] = (audio) => (audio.endsWith('two.wav') ? Promise.reject(new Error('not audio')) : Promise.resolve({ turns: [], durationSeconds: 1 }));
    expect(await evaluateWith(engineOf({ turnsOf }))).toHaveLength(2);
    vi.restoreAllMocks();
    expect(lines.filter((line) => line.includes('not audio'))).toEqual([`evaluate: ${join(folder, 'two.wav')}: not audio\n`]);
  });
});

describe('the cache', () => {
  test('computes once per key', async () => {
    const cache = new FeatureCache(join(folder, 'cache'));
    let computed = 0;
    const get = (key: string) => cache.get([key], () => Promise.resolve(Float32Array.of(++computed, NaN)));
    expect(await get('a')).toEqual(Float32Array.of(1, NaN));
    expect(await get('a')).toEqual(Float32Array.of(1, NaN));
    expect(await get('b')).toEqual(Float32Array.of(2, NaN));
    expect(await new FeatureCache(null).get(['a'], () => Promise.resolve(7))).toBe(7);
  });

  test('identifies files by content', async () => {
    const [one, other] = ['x', 'y'].map((name) => join(folder, name)) as [string, string];
    writeFileSync(one, 'same');
    writeFileSync(other, 'same');
    expect(await hashFile(one)).toBe(await hashFile(other));
    writeFileSync(other, 'else');
    expect(await hashFile(one)).not.toBe(await hashFile(other));
  });
});

describe('the command line', () => {
  test('checks the options of a preset like diarize', () => {
    expect(parseCommand(['--preset', 'nemotron', '--min-duration-on', '0.2'])).toMatchObject({ preset: 'nemotron', options: { minDurationOn: 0.2 } });
    expect(() => parseCommand(['--preset', 'nemotron', '--speed', 'fast'])).toThrow('--speed is fast. Expected with the preset nemotron, exact');
    expect(() => parseCommand(['--preset', 'nemotron', '--clustering', 'pyannote-3.1'])).toThrow('--clustering is pyannote-3.1. Expected with the preset nemotron, preset');
    expect(() => parseCommand(['--preset', 'nemotron', '--set', 'threshold=1'])).toThrow('--set is threshold=1. Expected no --set with the preset nemotron');
  });

  test.each(['campplus', 'community-1', 'nemotron'])('accepts a number of speakers with %s', (preset) => {
    expect(parseCommand(['--preset', preset, '--speakers', '3'])).toMatchObject({ options: { speakers: 3 } });
    expect(parseCommand(['--preset', preset, '--min-speakers', '2', '--max-speakers', '9'])).toMatchObject({ options: { minSpeakers: 2, maxSpeakers: 9 } });
    expect(() => parseCommand(['--preset', preset, '--speakers', '0'])).toThrow('--speakers is 0. Expected a whole number from 1 to 255');
    expect(() => parseCommand(['--preset', preset, '--speakers', '2', '--max-speakers', '3'])).toThrow('no --min-speakers or --max-speakers with it');
    expect(() => parseCommand(['--preset', preset, '--min-speakers', '4', '--max-speakers', '3'])).toThrow('--min-speakers is 4. Expected at most --max-speakers, 3');
  });

  test('accepts a server for models that are not bundled', () => {
    expect(parseCommand(['--preset', 'nemotron', '--hub', 'http://localhost:8000'])).toMatchObject({ hub: 'http://localhost:8000' });
    expect(() => parseCommand(['--hub', 'here'])).toThrow('--hub is here. Expected an address');
  });

  test('refuses what would have no effect', () => {
    expect(() => parseCommand(['--hub', 'http://localhost:8000'])).toThrow('--hub has no effect with the preset campplus, whose models are bundled');
    expect(() => parseCommand(['--no-cache', '--cache', 'folder'])).toThrow('--cache has no effect with --no-cache');
  });

  test('accepts the modes of nemotron only with it', () => {
    expect(parseCommand(['--preset', 'nemotron', '--streaming-mode', 'very_low_latency'])).toMatchObject({ options: { streamingMode: 'very_low_latency' } });
    expect(() => parseCommand(['--streaming-mode', 'very_low_latency'])).toThrow('--streaming-mode is very_low_latency. Expected with the preset campplus, offline');
    expect(() => parseCommand(['--preset', 'nemotron', '--streaming-mode', 'slow'])).toThrow('--streaming-mode is slow. Expected offline, low_latency');
  });

  test('changes only numbers of the clustering settings', () => {
    const command = parseCommand(['--set', 'observationWeight=0.05', '--set', 'numRounds=0']);
    if (command === 'help') throw new Error('help was not requested');
    expect(changedSettings(CAMPPLUS, command.changes).clustering).toMatchObject({ method: 'evidence', observationWeight: 0.05, numRounds: 0 });
    expect(() => changedSettings(settingsOf('campplus', 'pyannote-3.1'), command.changes)).toThrow('The clustering agglomerative has threshold');
    expect(() => parseCommand(['--set', 'threshold'])).toThrow('Expected NAME=VALUE');
    expect(() => parseCommand(['--preset', 'best'])).toThrow('--preset is best');
    expect(() => parseCommand(['--min-duration-on=-2'])).toThrow(/^--min-duration-on is -2\. Expected a number of seconds/);
  });
});
