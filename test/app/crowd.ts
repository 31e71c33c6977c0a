import { closeSync, openSync, writeSync } from 'node:fs';

export interface Crowd {
  readonly numSpeakers: number;
  readonly numTurns: number;
}

/** Number of lines per write. */
const CHUNK = 10_000;

/**
 * RTTM line of a recording with many speakers. A turn starts every half second and lasts 0.3 to 2.2 s, so it overlaps with
 * other turns. Speakers alternate in an irregular order. Turns of the same speaker do not overlap.
 */
export function crowdLine({ numSpeakers }: Crowd, turn: number): string {
  const round = Math.floor(turn / numSpeakers);
  // A prime step visits all speakers in each round, with a different start per round.
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
