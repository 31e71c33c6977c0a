import { closeSync, openSync, writeSync } from 'node:fs';

export interface Crowd {
  readonly numSpeakers: number;
  readonly numTurns: number;
}

/** Lines that are written at once. */
const CHUNK = 10_000;

/**
 * RTTM lines of many speakers: a turn begins every half second, lasts 0.3 to 2.2 s and so overlaps with some others;
 * the speakers take turns in an order that is no round. Turns of one speaker do not overlap.
 */
export function crowdLine({ numSpeakers }: Crowd, turn: number): string {
  const round = Math.floor(turn / numSpeakers);
  // A prime step goes through all speakers of a round, from another one in each round.
  const speaker = ((turn % numSpeakers) * 7919 + 31 * round) % numSpeakers;
  const start = turn * 0.5 + (turn % 7) * 0.01;
  const duration = 0.3 + ((turn * 37) % 20) / 10;
  return `SPEAKER crowd 1 ${start.toFixed(3)} ${duration.toFixed(3)} <NA> <NA> P${String(speaker).padStart(4, '0')} <NA> <NA>\n`;
}

/** Writes an RTTM file. */
export function writeCrowd(path: string, crowd: Crowd): void {
  const file = openSync(path, 'w');
  try {
    for (let from = 0; from < crowd.numTurns; from += CHUNK) {
      const count = Math.min(CHUNK, crowd.numTurns - from);
      writeSync(file, Array.from({ length: count }, (_, offset) => crowdLine(crowd, from + offset)).join(''));
    }
  } finally {
    closeSync(file);
  }
}
