import { machine, median } from '../figures';
import { ratioOf, ratiosOf, type PeerRun } from './runs';
import type { Backend } from './system';

/** The JSON report. */
export interface PeersReport {
  readonly machine: string;
  readonly runs: readonly PeerRun[];
  /** By preset, on the first backend of Voxlane. */
  readonly ratios: Readonly<Record<string, number>>;
  readonly ratiosByBackend: Readonly<Partial<Record<Backend, Readonly<Record<string, number>>>>>;
}

export function reportOf(runs: readonly PeerRun[]): PeersReport {
  const backends = ownBackends(runs);
  const ratiosByBackend = Object.fromEntries(backends.map((backend) => [backend, ratiosOf(runs, backend)]));
  return { machine: machine(), runs, ratios: ratiosByBackend[backends[0] ?? 'wasm'] ?? {}, ratiosByBackend };
}

/** Prints a table per file with the medians of its rounds, and for several files, the ratios over all files. */
export function printRuns(runs: readonly PeerRun[]): void {
  console.log(machine());
  const files = groups(runs, ({ file }) => file);
  for (const [file, ofFile] of files) {
    console.log(`\n${file}, rounds: ${Math.max(...ofFile.map(({ round }) => round))}`);
    for (const [name, ofSystem] of groups(ofFile, systemName)) console.log(`  ${name.padEnd(24)} ${row(ofSystem, ofFile)}`);
  }
  if (files.size < 2) return;
  console.log('\nall files');
  for (const backend of ownBackends(runs)) {
    for (const [preset, ratio] of Object.entries(ratiosOf(runs, backend))) {
      console.log(`  ${systemName({ system: 'voxlane', backend, preset }).padEnd(24)} ${ratioText(ratio)}`);
    }
  }
}

/** Readable name, unique for each combination. */
export function systemName({ system, backend, preset }: Pick<PeerRun, 'system' | 'backend' | 'preset'>): string {
  return [system, preset, backend].filter((part) => part !== null).join(' ');
}

function row(ofSystem: readonly PeerRun[], ofFile: readonly PeerRun[]): string {
  const [{ system, backend, preset, threads, der }] = ofSystem as [PeerRun];
  const cells = [
    threads === null ? '         ' : `${threads} thread${threads === 1 ? ' ' : 's'}`,
    `RTF ${median(ofSystem.map(({ rtf }) => rtf)).toFixed(4)}`,
    // The same in every round, because both systems are deterministic.
    `DER ${der === null ? '-' : `${(100 * der).toFixed(2)} %`}`,
  ];
  const ratio = system === 'voxlane' && preset !== null ? ratioOf(ofFile, backend, preset) : NaN;
  return [...cells, ...(Number.isNaN(ratio) ? [] : [ratioText(ratio)])].join('   ');
}

const ratioText = (ratio: number): string => `sherpa-onnx takes ${ratio.toFixed(2)} times as long`;

function ownBackends(runs: readonly PeerRun[]): Backend[] {
  return [...new Set(runs.filter(({ system }) => system === 'voxlane').map(({ backend }) => backend))];
}

function groups(runs: readonly PeerRun[], keyOf: (run: PeerRun) => string): Map<string, PeerRun[]> {
  const found = new Map<string, PeerRun[]>();
  for (const run of runs) found.set(keyOf(run), [...(found.get(keyOf(run)) ?? []), run]);
  return found;
}
