import { describe, expect, it } from 'vitest';
import { GapClock } from './media';
import { streamOf } from '../../test/audio/collect';

const PACKET = 0.02;

function packets(timestamps: readonly number[]): AsyncIterable<{ timestamp: number }> {
  return streamOf(timestamps.map((timestamp) => ({ timestamp })));
}

/** Packets of 20 ms, 50 before each gap and 50 after the last. */
function withGaps(...gaps: number[]): number[] {
  let time = 0;
  return [...gaps, 0].flatMap((gap) => {
    const run = Array.from({ length: 50 }, (_, i) => time + i * PACKET);
    time += 50 * PACKET + gap;
    return run;
  });
}

async function placeAll(clock: GapClock, decoded: readonly number[]): Promise<number[]> {
  const placed: number[] = [];
  for (const time of decoded) placed.push(await clock.place(time, PACKET));
  return placed;
}

describe('GapClock', () => {
  it.each(['aac', 'opus'])('restores gaps that a decoder closed: %s', async (codec) => {
    const timestamps = withGaps(2, 0.5, 30);
    const decoded = timestamps.map((_, i) => i * PACKET);
    const placed = await placeAll(new GapClock(packets(timestamps), codec), decoded);
    placed.forEach((time, i) => { expect(time).toBeCloseTo(timestamps[i]!, 9); });
  });

  it('detects a gap after the first packet', async () => {
    const placed = await placeAll(new GapClock(packets([0, 2, 2.02, 2.04]), 'aac'), [0, 0.02, 0.04, 0.06]);
    placed.forEach((time, i) => { expect(time).toBeCloseTo([0, 2, 2.02, 2.04][i]!, 9); });
  });

  it('does not change correct times', async () => {
    const timestamps = withGaps(2, 0.5);
    expect(await placeAll(new GapClock(packets(timestamps), 'aac'), timestamps)).toEqual(timestamps);
  });

  it('tolerates rounded timestamps and a decoder that is late by the encoder delay', async () => {
    const exact = withGaps(2, 0.5);
    const rounded = exact.map((time) => Math.round((time + 0.0065) * 1000) / 1000);
    const placed = await placeAll(new GapClock(packets(rounded), 'opus'), exact.map((_, i) => i * PACKET));
    placed.forEach((time, i) => { expect(Math.abs(time - exact[i]!)).toBeLessThan(0.003); });
  });

  it('does not mistake packets of variable duration for gaps', async () => {
    const timestamps = [0, 0.02, 0.04, 0.1, 0.16, 0.22, 0.24, 0.26, 0.3];
    expect(await placeAll(new GapClock(packets(timestamps), 'opus'), timestamps)).toEqual(timestamps);
  });

  it('reads only the packets that it needs', async () => {
    let taken = 0;
    function* endless(): Generator<{ timestamp: number }> {
      for (;;) yield { timestamp: PACKET * taken++ };
    }
    const clock = new GapClock(streamOf(endless()), 'aac');
    await clock.place(1, PACKET);
    expect(taken).toBeLessThan(55);
    await clock.close();
  });
});
