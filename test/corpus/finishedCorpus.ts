/** A corpus folder as it is after a run: whole files, segments, a silent file, a failed file, a refused input. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { jsonLine } from '../../cli/corpus/jsonLines';
import { fileOptions } from '../../cli/corpus/runOptions';
import { corpusFiles, type Entry, LAYOUT_VERSION, type Plan, type Refusal, type StoredFailure, type StoredResult } from '../../cli/corpus/layout';

type Turns = StoredResult['exactTurns'];

const SILENT = 'silent';
/** Turns of each entry. The times are those of frames, whose milliseconds depend on the last digits. */
const TURNS: Readonly<Record<string, Turns>> = {
  'meeting': [[181.20096875000002, 185.99346875, 'SPEAKER_00'], [0.03096875, 2.5, 'SPEAKER_01'], [2.25, 3, 'SPEAKER_00']],
  'a-x': [[0.5, 1.0005, 'SPEAKER_00']],
  'b-x': [[0.25, 0.75, 'SPEAKER_00'], [0.25, 0.5, 'SPEAKER_01']],
  'call-10.000-20.000': [[10.5, 12, 'SPEAKER_00'], [13, 14, 'SPEAKER_01']],
  'call-30.000-35.500': [[30, 31, 'SPEAKER_00']],
  [SILENT]: [],
};

/** Entries in the order of the manifest. */
function entries(numShards: number): Entry[] {
  const file = { bytes: 1000, modifiedMs: 1 };
  const call = { recording: 'call', path: '/corpus/call.wav' };
  const all: Omit<Entry, 'shard'>[] = [
    { id: 'meeting', recording: 'meeting', recordingId: 'meeting one', path: '/corpus/meeting one.wav', durationSeconds: 200, numSpeakers: 2, uem: '/corpus/meeting.uem', ...file },
    { id: 'a-x', recording: 'a-x', path: '/corpus/a/x.wav', durationSeconds: 2, ...file },
    { id: 'b-x', recording: 'b-x', path: '/corpus/b/x.wav', durationSeconds: 1, ...file },
    { id: 'call-10.000-20.000', ...call, startSeconds: 10, endSeconds: 20, durationSeconds: 10, ...file },
    { id: 'call-30.000-35.500', ...call, startSeconds: 30, endSeconds: 35.5, durationSeconds: 5.5, ...file },
    { id: SILENT, recording: SILENT, path: '/corpus/silent.wav', durationSeconds: 3, ...file },
    { id: 'broken', recording: 'broken', path: '/corpus/broken.mp3', durationSeconds: 4, ...file },
  ];
  return all.map((entry, index) => ({ ...entry, shard: index % numShards }));
}

const REFUSED: Refusal = {
  source: '/corpus/list.jsonl, line 9',
  path: '/corpus/absent.wav',
  code: 'missing',
  problem: 'The file does not exist',
  remedy: 'Correct the path; relative paths are relative to the manifest',
};

const rounded = (seconds: number): number => Math.round(seconds * 1e6) / 1e6;

function resultOf(entry: Entry, seconds: number): StoredResult {
  const { id, path, durationSeconds } = entry;
  const exactTurns = TURNS[id]!;
  const turns = exactTurns.map(([start, end, speaker]) => ({ startSeconds: rounded(start), endSeconds: rounded(end), speaker, confidence: 0.9 }));
  return {
    id,
    path,
    inputSha256: 'ab'.repeat(32),
    stamp: null,
    engineVersion: '0.2.0',
    options: { preset: 'campplus', speed: 'fast', ...fileOptions(entry, {}) },
    optionsHash: 'cd'.repeat(32),
    status: id === SILENT ? 'silent' : 'done',
    seconds,
    attempts: 1,
    backend: 'wasm',
    counts: { turns: turns.length, speakers: new Set(turns.map(({ speaker }) => speaker)).size, audioSeconds: durationSeconds },
    finishedMs: 1_000_000 + 1000 * seconds,
    host: 'node',
    exactTurns,
    result: { durationSeconds, turns, exclusiveTurns: [], timings: { segmentation: seconds } },
  };
}

/**
 * Writes the folder.
 *
 * @param secondsPerFile wall time of each file; the outputs of a merge must not depend on it
 */
export function writeFinishedCorpus(folder: string, { numShards = 1, secondsPerFile = 1 } = {}): void {
  const files = corpusFiles(folder);
  for (const each of [files.results, files.failures]) mkdirSync(each, { recursive: true });
  const all = entries(numShards);
  const totals = { totalSeconds: 225.5, shards: [] };
  const plan: Plan = { version: LAYOUT_VERSION, inputs: ['/corpus/list.jsonl'], numShards, numEntries: all.length, numRefused: 1, ...totals };
  writeFileSync(files.plan, JSON.stringify(plan));
  writeFileSync(files.manifest, all.map(jsonLine).join(''));
  writeFileSync(files.refused, jsonLine(REFUSED));
  for (const [index, entry] of all.entries()) {
    const seconds = secondsPerFile * (index + 1);
    if (entry.id in TURNS) {
      writeFileSync(files.result(entry.id), JSON.stringify(resultOf(entry, seconds)));
      continue;
    }
    const failure: StoredFailure = {
      id: entry.id,
      path: entry.path,
      error: { code: 'audio-decode', problem: 'The audio cannot be read after 1.000 s', remedy: 'Convert the file' },
      attempts: 2,
      engineVersion: '0.2.0',
      optionsHash: 'cd'.repeat(32),
      seconds,
      finishedMs: 1_000_000,
      host: 'node',
    };
    writeFileSync(files.failure(entry.id), JSON.stringify(failure));
  }
}
