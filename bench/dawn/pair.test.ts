import { describe, expect, it } from 'vitest';
import { type Batches, byStage, measurePair, pairText, type PairReport, ratiosOf } from './pair';

const timeOf = (seconds: number) => ({ wall: seconds, cpu: seconds / 2 });

describe('a paired run', () => {
  /** Runs with calls that only report their name and number. */
  async function run(numRounds: number) {
    const calls: string[] = [];
    const said: string[] = [];
    const work = (name: string) => () => Promise.resolve(calls.push(name));
    const sideOf = (side: string) => byStage((stage) => work(`${side} ${stage}`));
    const batches: Batches = { own: sideOf('own'), runtime: sideOf('runtime') };
    const times = await measurePair(batches, numRounds, async (call) => timeOf((await call()) as number), (line) => said.push(line));
    return { calls, said, times };
  }

  it('alternates between both sides', async () => {
    const { calls, said } = await run(1);
    const turn = ['own segmentation', 'own embedding', 'own resnet34', 'runtime segmentation', 'runtime embedding', 'runtime resnet34'];
    expect(calls).toEqual([...turn, ...turn]);
    expect(said).toHaveLength(4);
  });

  it('counts the first batches apart', async () => {
    const { times } = await run(2);
    expect(times.segmentation.first).toEqual({ own: timeOf(1), runtime: timeOf(4) });
    expect(times.segmentation.rounds).toEqual([{ own: timeOf(7), runtime: timeOf(10) }, { own: timeOf(13), runtime: timeOf(16) }]);
    expect(times.resnet34.rounds).toEqual([{ own: timeOf(9), runtime: timeOf(12) }, { own: timeOf(15), runtime: timeOf(18) }]);
  });
});

describe('the ratio of a paired run', () => {
  const round = (own: number, runtime: number) => ({ own: { wall: own, cpu: 2 * own }, runtime: { wall: runtime, cpu: 3 * runtime } });
  const times = { first: round(100, 1), rounds: [round(1, 4), round(2, 6), round(1, 20)] };

  it('is ONNX Runtime over own in each round, and its median, without the first batch', () => {
    expect(ratiosOf(times).rounds).toEqual([{ wall: 4, cpu: 6 }, { wall: 3, cpu: 4.5 }, { wall: 20, cpu: 30 }]);
    expect(ratiosOf(times).median).toEqual({ wall: 4, cpu: 6 });
    expect(ratiosOf({ rounds: times.rounds.slice(0, 2) }).median).toEqual({ wall: 3.5, cpu: 5.25 });
    expect(ratiosOf(times).range).toEqual({ wall: [3, 20], cpu: [4.5, 30] });
  });

  it('is printed for each round and stage', () => {
    const adapter = { vendor: 'v', architecture: '', device: 'd', description: 'A driver', isSoftware: true, features: [], limits: {} as PairReport['adapter']['limits'] };
    const [all, ratios] = [byStage(() => times), byStage(() => ratiosOf(times))];
    const text = pairText({ machine: 'a machine', node: '20', adapter, numWindows: 1, numEmbeddings: 2, times: all, ratios });
    expect(text).toContain('adapter: A driver, v (software: its times say nothing about a GPU)');
    expect(text).toContain('batches of 1 window, 2 embeddings');
    const rows = text.split('\n').map((line) => line.trim().split(/ {2,}/));
    expect(rows).toContainEqual(['segmentation, first', '100.00', '1.00', '0.01', '200.00', '3.00', '0.01']);
    expect(rows).toContainEqual(['segmentation, round 2', '2.00', '6.00', '3.00', '4.00', '18.00', '4.50']);
    expect(rows).toContainEqual(['embedding, median', '4.00', '6.00']);
    expect(rows).toContainEqual(['embedding, range', '3.00 to 20.00', '4.50 to 30.00']);
    expect(rows).toContainEqual(['resnet34, median', '4.00', '6.00']);
  });
});
