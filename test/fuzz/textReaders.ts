import { readdirSync, readFileSync } from 'node:fs';
import { annotationOf } from '../../src/editing/annotationOf';
import { checkPlainHistory, History } from '../../src/editing/history';
import { annotationToJson } from '../../src/formats/annotationJson';
import { readAnyTurns } from '../../src/formats/anyTurns';
import { toAudacityLabels, toCsv, toSrt, toWebVtt } from '../../src/formats/textExports';
import { toEaf, toTextGrid } from '../../src/formats/tiers';
import type { JsonSource } from '../../src/formats/json';
import { parseRttm, toRttm } from '../../src/formats/rttm';
import { parseUem } from '../../src/formats/uem';
import type { Turn } from '../../src/timeline/turns';
import {
  assignSpeakers,
  toTranscriptCsv,
  toTranscriptJson,
  toTranscriptSrt,
  toTranscriptVtt,
} from '../../src/transcript/spokenTranscript';
import { readTranscript } from '../../src/transcript/readTranscript';
import { decodeText } from '../../src/util/decodeText';
import { VoxlaneError } from '../../src/util/errors';
import { ensure, type Reader } from './judge';

const ROOT = new URL('../../', import.meta.url);
const TURNS: readonly Turn[] = [{ startSeconds: 0, endSeconds: 2, speaker: 'Anna' }, { startSeconds: 1.5, endSeconds: 5, speaker: '__proto__' }];
const RESULT: JsonSource = {
  durationSeconds: 6, turns: TURNS, exclusiveTurns: TURNS.slice(0, 1), speakers: [{ label: 'Anna', name: 'A;=B', speechSeconds: 2, centroid: [0.5] }, { label: '__proto__', speechSeconds: 3.5, centroid: null }],
  backend: { name: 'wasm', adapter: null, threads: 1, reason: 'asked for' }, timings: {},
};
const encoded = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Files in a folder with matching names. */
function filesIn(folder: string, end: RegExp): Uint8Array[] {
  const address = new URL(folder, ROOT);
  return readdirSync(address).filter((name) => end.test(name)).sort().map((name) => new Uint8Array(readFileSync(new URL(name, address))));
}

const isSegment = ({ startSeconds, endSeconds }: Pick<Turn, 'startSeconds' | 'endSeconds'>): boolean =>
  Number.isFinite(startSeconds) && Number.isFinite(endSeconds) && endSeconds >= startSeconds;

function readRttm(bytes: Uint8Array): void {
  for (const turns of parseRttm(decodeText(bytes, 'f.rttm').text).values()) {
    ensure(turns.length > 0 && turns.every((turn) => isSegment(turn) && turn.speaker.trim() !== ''), JSON.stringify(turns));
    const written = turns.filter(({ startSeconds, endSeconds }) => endSeconds - startSeconds > 1e-6);
    const again = [...parseRttm(toRttm(turns, 'x')).values()].flat();
    ensure(again.length === written.length, `${again.length} of ${written.length} turns are read back`);
    ensure(distinct(again) === distinct(written), `${distinct(again)} of ${distinct(written)} speakers are read back`);
  }
}

const distinct = (turns: readonly Turn[]): number => new Set(turns.map(({ speaker }) => speaker)).size;

function readUem(bytes: Uint8Array): void {
  for (const regions of parseUem(decodeText(bytes, 'f.uem').text).values()) ensure(regions.every(isSegment), JSON.stringify(regions));
}

function readSpoken(bytes: Uint8Array): void {
  const transcript = readTranscript('f', decodeText(bytes, 'f').text);
  let reached = -Infinity;
  for (const cue of transcript.cues) {
    ensure(isSegment(cue) && cue.startSeconds >= reached && cue.text !== '' && cue.words.every(isSegment), JSON.stringify(cue));
    reached = cue.startSeconds;
  }
  const spoken = assignSpeakers(transcript, TURNS);
  toTranscriptCsv(spoken);
  for (const write of [toTranscriptSrt, toTranscriptVtt, toTranscriptJson]) {
    try {
      readTranscript('again', write(spoken));
    } catch (thrown) {
      // The format can drop blank text or not support such large times.
      if (!(thrown instanceof VoxlaneError)) throw thrown;
    }
  }
}

function readTurns(bytes: Uint8Array): void {
  for (const { turns, exclusiveTurns, speakers, durationSeconds } of readAnyTurns('f', decodeText(bytes, 'f').text)) {
    ensure([...turns, ...exclusiveTurns].every(isSegment), JSON.stringify(turns));
    const last = turns.reduce((end, turn) => Math.max(end, turn.endSeconds), 0);
    const annotation = annotationOf(turns, exclusiveTurns, speakers, Math.max(durationSeconds ?? 0, last));
    const json = annotationToJson('f', RESULT, annotation);
    const [again] = readAnyTurns('f', json);
    // Times are written in microseconds, so shorter turns are dropped.
    ensure(again!.turns.length <= annotation.turns.length, 'unexpected turns are read back');
    for (const write of [toCsv, toSrt, toWebVtt, toAudacityLabels]) write(annotation.turns);
    toRttm(annotation.turns, 'x');
    toTextGrid(annotation.turns, annotation.durationSeconds);
    toEaf(annotation.turns, { mediaFile: 'x', date: new Date(0) });
  }
}

function readHistory(bytes: Uint8Array): void {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return;
  }
  const history = History.fromPlain(checkPlainHistory(value));
  while (history.undo()) continue;
  while (history.redo()) continue;
}

function plainHistory(): Uint8Array {
  const history = new History(annotationOf(TURNS, [], [{ label: 'Anna' }, { label: '__proto__' }], 6));
  history.apply({ type: 'rename-speaker', speaker: 'Anna', name: 'Ben' });
  history.apply({ type: 'merge-speakers', from: '__proto__', into: 'Anna' });
  history.undo();
  return encoded(JSON.stringify(history.toPlain()));
}

const CASES = 'src/transcript/fixtures/cases/';
const ODD_VTT = 'WEBVTT\n\nSTYLE\n::cue { color: red }\n\nNOTE x\n\n1\n00:01.000 --> 01:00:03.000 line:0\n<v.loud Anna>We &lt;are&gt; <00:02.000>here</v>\n';

export const TEXT_READERS: readonly Reader[] = [
  { name: 'rttm', numRuns: 300, read: readRttm, seeds: () => [...filesIn('src/formats/fixtures/cases/', /\.rttm$/), ...filesIn('src/formats/fixtures/imports/', /\.rttm$/), encoded(';; c\nSPEAKER x 1 0.5 1e1 <NA> <NA> a b 0.5 <NA>\r\nLEXEME x 1 0 1 hi lex a <NA> <NA>\n')] },
  { name: 'uem', numRuns: 200, read: readUem, seeds: () => [encoded(';; c\none 1 0.000 12.5\r\nmy talk NA 3 4\n')] },
  { name: 'srt', numRuns: 200, read: readSpoken, seeds: () => [...filesIn('src/transcript/fixtures/', /\.srt$/), ...filesIn(CASES, /\.srt$/)] },
  { name: 'vtt', numRuns: 200, read: readSpoken, seeds: () => [...filesIn('src/transcript/fixtures/', /\.vtt$/), ...filesIn(CASES, /\.vtt$/), encoded(ODD_VTT)] },
  {
    name: 'whisper', numRuns: 400, read: readSpoken,
    seeds: () => [
      ...filesIn('src/transcript/fixtures/', /^(?:openai|whisper\.cpp|whisperx\.).*json$/), ...filesIn(CASES, /\.(?:json|txt)$/),
      encoded('[[0,0,0.5,2.5," Good day",[1],-0.3,1,0.1,[[0.5,1," Good",0.9],[1,2.5," day",0.9]]]]'),
      encoded('{"chunks":[{"timestamp":[0,2.5],"text":" Good day."},{"timestamp":[2.5,null],"text":" All"}]}'),
      encoded('{"text":" a b","words":[{"word":"a","start":0,"end":1},{"word":"b","start":1,"end":2}],"segments":[{"start":0,"end":2,"text":" a b"}]}'),
      encoded('start\tend\ttext\n0\t1500\tGood day\n'),
    ],
  },
  { name: 'turns', numRuns: 300, read: readTurns, seeds: () => [...filesIn('src/formats/fixtures/imports/', /json$/), ...filesIn('src/formats/fixtures/cases/', /json$/), encoded(annotationToJson('f', RESULT, annotationOf(TURNS, TURNS, [], 6)))] },
  { name: 'history', numRuns: 150, read: readHistory, seeds: () => [plainHistory()] },
];
