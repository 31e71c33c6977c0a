import { readFileSync } from 'node:fs';
import { History } from '../../src/editing/history';
import { tap } from '../../src/onnx/cut';
import { encodeOnnx, parseOnnx } from '../../src/onnx/model';
import { assignSpeakers } from '../../src/transcript/spokenTranscript';
import { readTranscript } from '../../src/transcript/readTranscript';
import type { Turn } from '../../src/timeline/turns';
import type { TranscriptCue } from '../../src/transcript/transcript';
import { longAnnotation } from '../../test/editing/synthetic';
import type { Group } from './figure';

const EDITS = 100;
const HOUR_CUES = 1200;
const GRAPHS: Readonly<Record<string, readonly string[]>> = {
  'segmentation-3.0': ['sincnet', 'lstm', 'linear1', 'linear2'],
  'campplus-zh-en': ['head', 'tdnn', 'block1', 'block2', 'block3', 'pooling'],
};

/** CPU seconds of `work`, which do not depend on other load on the machine. */
function processorSeconds(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** Functions of the page that process a whole recording at once. */
export const functions: Group = {
  name: 'functions',
  bounds: [
    {
      name: 'edit',
      what: 'CPU time of an edit of three hours with 8,000 turns, mean of 100',
      unit: 'ms',
      limit: 15,
      side: 'at most',
      reason: 'the target is 5 ms, with a margin for slower machines; absolute because dragging edits in every frame of 16.7 ms',
    },
    {
      name: 'words-assigned',
      what: 'CPU time of assigning 36,000 words of three hours to 8,000 turns',
      unit: 's',
      limit: 1,
      side: 'at most',
      reason: 'it runs on the main thread and must not block it, so the limit is absolute',
    },
    {
      name: 'words-growth',
      what: 'the same, twelve hours divided by three hours',
      unit: '',
      limit: 8,
      side: 'at most',
      reason: 'geometric middle between linear (4) and quadratic (16)',
    },
    {
      name: 'words-read',
      what: 'CPU time of reading 100,000 words of JSON without end times',
      unit: 's',
      limit: 2,
      side: 'at most',
      reason: 'it runs on the main thread and must not block it, so the limit is absolute',
    },
    {
      name: 'graph-tapped',
      what: 'CPU time of reading, tapping and writing a shipped graph, the slower of two',
      unit: 'ms',
      limit: 1500,
      side: 'at most',
      reason: 'needed for every comparison; absolute because a user waits for it',
    },
  ],
  measure: () =>
    Promise.resolve({
      // Run each only once, because users call them before the compiler has optimized them.
      edit: (1000 * processorSeconds(edits)) / EDITS,
      'words-assigned': processorSeconds(() => { assignWords(3); }),
      'words-growth': wordsGrowth(),
      'words-read': processorSeconds(readWords),
      'graph-tapped': Math.max(...Object.keys(GRAPHS).map((id) => 1000 * processorSeconds(() => { tapGraph(id); }))),
    }),
};

function edits(): void {
  const history = new History(longAnnotation(8000));
  const { id: turn, startSeconds, endSeconds } = history.annotation.turns[4000]!;
  for (let step = 0; step < EDITS; step++) {
    history.apply({ type: 'move-turn', turn, startSeconds, endSeconds: endSeconds - 0.001 * (step + 1) });
  }
}

/** Uses the minimum of five runs, because compilation and garbage collection only add time. */
function wordsGrowth(): number {
  const least = (hours: number) => Math.min(...Array.from({ length: 5 }, () => processorSeconds(() => { assignWords(hours); })));
  return least(12) / least(3);
}

function assignWords(hours: number): void {
  const turns = Array.from({ length: Math.round((8000 * hours) / 3) }, (_, i): Turn => ({
    startSeconds: i * 1.35,
    endSeconds: i * 1.35 + 2,
    speaker: `S${i % 7}`,
  }));
  const cues = Array.from({ length: HOUR_CUES * hours }, (_, i): TranscriptCue => ({
    startSeconds: 3 * i,
    endSeconds: 3 * i + 3,
    text: 'x',
    words: Array.from({ length: 10 }, (_word, k) => ({
      startSeconds: 3 * i + 0.3 * k,
      endSeconds: 3 * i + 0.3 * k + 0.25,
      text: ' x',
    })),
  }));
  const assigned = assignSpeakers({ file: 'talk.srt', cues }, turns);
  if (assigned.cues.length <= cues.length) throw new Error('No cue was split at a speaker change.');
}

function readWords(): void {
  const words = Array.from({ length: 100_000 }, (_, i) => ({ word: `w${i}`, start: i }));
  const text = words.map(({ word }) => word).join(' ');
  const [cue] = readTranscript('words.json', JSON.stringify({ segments: [{ start: 0, end: 1e5, text, words }] })).cues;
  if (cue?.words.length !== words.length) throw new Error('Not all words were read.');
}

function tapGraph(id: string): void {
  encodeOnnx(tap(parseOnnx(readFileSync(`models/${id}/model.onnx`), id), GRAPHS[id]!));
}
