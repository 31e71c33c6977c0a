import { toRttm, parseRttm } from '../../src/formats/rttm';
import type { Turn } from '../../src/index';
import { scoreRecordings } from '../../src/score/score';
import { median } from '../figures';
import type { Backend, SystemName } from './system';

/** One recording diarized once by one system. */
export interface PeerRun {
  readonly file: string;
  /** Counted from 1. Consecutive runs of a file in the same round form a pair. */
  readonly round: number;
  readonly system: SystemName;
  readonly backend: Backend;
  readonly preset: string | null;
  readonly threads: number | null;
  /** Seconds of work per second of audio. */
  readonly rtf: number;
  /** A fraction, as computed by `npm run score` without options; null without a reference. */
  readonly der: number | null;
}

/**
 * The diarization error rate as a fraction, without a collar and including overlap, as computed by `npm run score` from
 * files.
 *
 * @param reference text of an RTTM file
 * @param uri name of the recording
 */
export function derOf(reference: string, turns: readonly Turn[], uri: string): number {
  return scoreRecordings(parseRttm(reference), parseRttm(toRttm(turns, uri))).der;
}

/** Time of sherpa-onnx divided by time of Voxlane: the median of all pairs; NaN without pairs. */
export function ratioOf(runs: readonly PeerRun[], backend: Backend, preset: string): number {
  const peers = runs.filter(({ system }) => system === 'sherpa-onnx');
  const ours = runs.filter((run) => run.system === 'voxlane' && run.backend === backend && run.preset === preset);
  return median(
    ours.flatMap(({ file, round, rtf }) =>
      peers.filter((peer) => peer.file === file && peer.round === round).map((peer) => peer.rtf / rtf),
    ),
  );
}

/** {@link ratioOf} each preset on one backend, without presets that have no pairs. */
export function ratiosOf(runs: readonly PeerRun[], backend: Backend): Record<string, number> {
  const presets = new Set(runs.flatMap(({ preset }) => preset ?? []));
  const ratios = [...presets].map((preset) => [preset, ratioOf(runs, backend, preset)] as const);
  return Object.fromEntries(ratios.filter(([, ratio]) => !Number.isNaN(ratio)));
}
