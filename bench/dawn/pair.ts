/** Times of the same work on our own kernels and through ONNX Runtime, in alternation. */
import { infoName } from '../../src/util/softwareAdapter';
import { median } from '../figures';
import { tableOf } from '../profile/report';
import type { AdapterFacts } from './adapter';

/** What computes the networks. */
export const SIDES = ['own', 'runtime'] as const;
export type Side = (typeof SIDES)[number];

/** Networks: segmentation-3.0, CAM++, ResNet34 with seeded weights. */
export const PAIR_STAGES = ['segmentation', 'embedding', 'resnet34'] as const;
export type PairStage = (typeof PAIR_STAGES)[number];

/** A value for each stage. */
export const byStage = <Value>(valueOf: (stage: PairStage) => Value): Record<PairStage, Value> =>
  Object.fromEntries(PAIR_STAGES.map((stage) => [stage, valueOf(stage)])) as Record<PairStage, Value>;

/** One batch of a stage, in seconds. */
export interface BatchTime {
  readonly wall: number;
  /** Of all threads of the process. On a software adapter, it is the work of both sides, without that of other programs. */
  readonly cpu: number;
}

type Round = Readonly<Record<Side, BatchTime>>;

/** Times of a stage. */
export interface StageTimes {
  /** The first batch of each side, with the compilation of its kernels. */
  readonly first: Round;
  /** Later batches. */
  readonly rounds: readonly Round[];
}

/** The least and the greatest value. */
type Range = readonly [least: number, greatest: number];

/** How many times as long as our own kernels ONNX Runtime takes. */
export interface StageRatios {
  readonly rounds: readonly { readonly wall: number; readonly cpu: number }[];
  readonly median: { readonly wall: number; readonly cpu: number };
  readonly range: { readonly wall: Range; readonly cpu: Range };
}

/** What computes a batch: for each side, functions that compute one stage. */
export type Batches = Readonly<Record<Side, Readonly<Record<PairStage, () => Promise<unknown>>>>>;

/**
 * Computes the batch on both sides in turn: own, ONNX Runtime, own, ONNX Runtime, … The first turn of each is counted apart.
 *
 * @param numRounds turns of each side after its first one, at least 1
 * @param time measures one call
 */
export async function measurePair(batches: Batches, numRounds: number, time: (work: () => Promise<unknown>) => Promise<BatchTime>, say: (line: string) => void): Promise<Record<PairStage, StageTimes>> {
  const rounds: Record<PairStage, Round>[] = [];
  for (let round = 0; round <= numRounds; round++) {
    const found = byStage(() => ({}) as Record<Side, BatchTime>);
    for (const side of SIDES) {
      say(`round ${round} of ${numRounds}, ${NAMES[side]} …`);
      for (const stage of PAIR_STAGES) found[stage][side] = await time(batches[side][stage]);
    }
    rounds.push(found);
  }
  const timesOf = (stage: PairStage): StageTimes => ({ first: rounds[0]![stage], rounds: rounds.slice(1).map((round) => round[stage]) });
  return byStage(timesOf);
}

/** Ratio of each round, and its median and range over the rounds. */
export function ratiosOf({ rounds }: Pick<StageTimes, 'rounds'>): StageRatios {
  const ratios = rounds.map(({ own, runtime }) => ({ wall: runtime.wall / own.wall, cpu: runtime.cpu / own.cpu }));
  const [wall, cpu] = [ratios.map((ratio) => ratio.wall), ratios.map((ratio) => ratio.cpu)];
  return { rounds: ratios, median: { wall: median(wall), cpu: median(cpu) }, range: { wall: rangeOf(wall), cpu: rangeOf(cpu) } };
}

const rangeOf = (values: readonly number[]): Range => [Math.min(...values), Math.max(...values)];

/** All figures of a paired run. */
export interface PairReport {
  readonly machine: string;
  readonly node: string;
  readonly adapter: AdapterFacts;
  readonly numWindows: number;
  readonly numEmbeddings: number;
  readonly times: Readonly<Record<PairStage, StageTimes>>;
  readonly ratios: Readonly<Record<PairStage, StageRatios>>;
}

const NAMES: Readonly<Record<Side, string>> = { own: 'our own kernels', runtime: 'ONNX Runtime' };

const rangeText = (range: Range): string => range.map((value) => value.toFixed(2)).join(' to ');

export function pairText({ machine, node, adapter, numWindows, numEmbeddings, times, ratios }: PairReport): string {
  const name = infoName(adapter) || 'unnamed adapter';
  const cells = ({ own, runtime }: Round): string[] => [own.wall, runtime.wall, runtime.wall / own.wall, own.cpu, runtime.cpu, runtime.cpu / own.cpu].map((value) => value.toFixed(2));
  const rows = PAIR_STAGES.flatMap((stage) => [
    [`${stage}, first`, ...cells(times[stage].first)],
    ...times[stage].rounds.map((round, index) => [`${stage}, round ${index + 1}`, ...cells(round)]),
    [`${stage}, median`, '', '', ratios[stage].median.wall.toFixed(2), '', '', ratios[stage].median.cpu.toFixed(2)],
    [`${stage}, range`, '', '', rangeText(ratios[stage].range.wall), '', '', rangeText(ratios[stage].range.cpu)],
  ]);
  return [
    `adapter: ${name}${adapter.isSoftware ? ' (software: its times say nothing about a GPU)' : ''}`,
    `${machine}, Node ${node}`,
    `batches of ${numWindows} ${numWindows === 1 ? 'window' : 'windows'}, ${numEmbeddings} ${numEmbeddings === 1 ? 'embedding' : 'embeddings'}; the first batch has the compilation`,
    tableOf([['', 'own, s', 'ONNX Runtime, s', 'ratio', 'own, CPU s', 'ONNX Runtime, CPU s', 'CPU ratio'], ...rows]),
  ].join('\n');
}
