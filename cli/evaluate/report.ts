import { errorRate, sumComponents, type Components } from '../../src/score/der';
import type { EvaluationRow } from './evaluation';

/** Entry of a recording in `--json`. Rates are fractions of the reference's speech. */
export interface RecordingJson {
  readonly name: string;
  readonly durationSeconds: number;
  readonly der: number;
  readonly missedSpeech: number;
  readonly falseAlarm: number;
  readonly confusion: number;
  readonly jer: number;
  /** Null for a preset without local speakers. */
  readonly floorDer: number | null;
  readonly speakersFound: number;
  readonly speakersThere: number;
  readonly numTurns: number;
  readonly shortestTurnSeconds: number | null;
  readonly peer: { readonly der: number; readonly speakersFound: number } | null;
}

export interface EvaluationJson {
  readonly recordings: readonly RecordingJson[];
  /** Rates are null without recordings. */
  readonly total: {
    readonly der: number | null;
    readonly missedSpeech: number | null;
    readonly falseAlarm: number | null;
    readonly confusion: number | null;
    readonly floorDer: number | null;
    /** Null if sherpa-onnx did not run. */
    readonly peerDer: number | null;
    /** Number of recordings with the correct number of speakers. */
    readonly countsRight: number;
  };
}

/** Totals are computed from summed seconds, as in pyannote.metrics. */
export function evaluationJson(rows: readonly EvaluationRow[]): EvaluationJson {
  const sum = sumComponents(rows.map(({ score }) => score));
  const floors = rows.flatMap(({ floor }) => (floor ? [floor] : []));
  const peers = rows.flatMap(({ peer }) => (peer ? [peer.score] : []));
  return {
    recordings: rows.map(({ name, durationSeconds, score, jer, floor, speakersFound, speakersThere, numTurns, shortestTurnSeconds, peer }) => ({
      name,
      durationSeconds,
      ...ratesOf(score),
      jer,
      floorDer: floor?.der ?? null,
      speakersFound,
      speakersThere,
      numTurns,
      shortestTurnSeconds,
      peer: peer && { der: peer.score.der, speakersFound: peer.speakersFound },
    })),
    total: {
      ...(rows.length > 0 ? ratesOf(sum) : { der: null, missedSpeech: null, falseAlarm: null, confusion: null }),
      floorDer: floors.length === rows.length && rows.length > 0 ? errorRate(sumComponents(floors)) : null,
      peerDer: peers.length === rows.length && rows.length > 0 ? errorRate(sumComponents(peers)) : null,
      countsRight: rows.filter(({ speakersFound, speakersThere }) => speakersFound === speakersThere).length,
    },
  };
}

function ratesOf(components: Components): { der: number; missedSpeech: number; falseAlarm: number; confusion: number } {
  const { missedSpeech, falseAlarm, confusion, total } = components;
  const rate = (seconds: number): number => (total === 0 ? Number(seconds > 0) : seconds / total);
  return { der: errorRate(components), missedSpeech: rate(missedSpeech), falseAlarm: rate(falseAlarm), confusion: rate(confusion) };
}

/** A readable table. */
export function evaluationTable({ recordings, total }: EvaluationJson): string {
  const hasPeer = recordings.some(({ peer }) => peer !== null);
  const percent = (rate: number | null): string => (rate === null ? '–' : (100 * rate).toFixed(1));
  const header = ['recording', 'minutes', 'DER %', 'missed', 'false alarm', 'confusion', 'JER %', 'floor %', 'found', 'there', ...(hasPeer ? ['sherpa-onnx DER %', 'found'] : [])];
  const rows = recordings.map((one) => [
    one.name,
    (one.durationSeconds / 60).toFixed(1),
    ...[one.der, one.missedSpeech, one.falseAlarm, one.confusion, one.jer, one.floorDer].map(percent),
    String(one.speakersFound),
    String(one.speakersThere),
    ...(hasPeer ? [percent(one.peer?.der ?? null), String(one.peer?.speakersFound ?? '–')] : []),
  ]);
  const minutes = recordings.reduce((sum, { durationSeconds }) => sum + durationSeconds / 60, 0);
  const last = [
    'total',
    minutes.toFixed(1),
    ...[total.der, total.missedSpeech, total.falseAlarm, total.confusion].map(percent),
    '',
    percent(total.floorDer),
    `${total.countsRight} right`,
    `of ${recordings.length}`,
    ...(hasPeer ? [percent(total.peerDer), ''] : []),
  ];
  const lines = [header, ...rows, last];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines
    .map((line) => line.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  ').trimEnd())
    .map((line) => `${line}\n`)
    .join('');
}
