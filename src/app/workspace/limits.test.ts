import { describe, expect, it } from 'vitest';
import { checkAtOnce, checkBytes, checkReferenceBytes, checkScored, checkSize, MAX_BYTES, MAX_SPEAKERS, MAX_SPEAKERS_SCORED, MAX_TURNS, MAX_TURNS_AT_ONCE } from './limits';
import { holds } from './openFiles';

const sized = (size: number): File => ({ name: 'big.rttm', size }) as File;
const turnsOf = (count: number, speakers: number) => Array.from({ length: count }, (_, index) => ({ startSeconds: index, endSeconds: index + 1, speaker: `S${index % speakers}` }));

describe('the limits of the app', () => {
  it('accept the maximum size and report the numbers above it', () => {
    expect(() => { checkSize('a.rttm', MAX_TURNS, MAX_SPEAKERS); }).not.toThrow();
    expect(() => { checkSize('a.rttm', MAX_TURNS + 1, 2); }).toThrow(/“a.rttm” has 1,000,001 turns and 2 speakers\. Expected at most 1,000,000 turns and 5,000 speakers\. Split the file/);
    expect(() => { checkSize('a.rttm', 10, MAX_SPEAKERS + 1); }).toThrow(/5,001 speakers/);
    expect(() => { checkBytes(sized(MAX_BYTES)); }).not.toThrow();
    expect(() => { checkBytes(sized(MAX_BYTES + 1e6)); }).toThrow(/501 MB.*at most 500 MB/);
    expect(() => { checkAtOnce('a.rttm', MAX_TURNS_AT_ONCE + 1); }).toThrow(/50,001 turns/);
  });

  it('for scoring mention the command', () => {
    expect(() => { checkScored(turnsOf(400, 3), turnsOf(400, MAX_SPEAKERS_SCORED)); }).not.toThrow();
    expect(() => { checkScored(turnsOf(400, 3), turnsOf(400, MAX_SPEAKERS_SCORED + 1)); }).toThrow(/301 speakers.*npm run score/);
    expect(() => { checkScored(turnsOf(MAX_TURNS_AT_ONCE + 1, 3), []); }).toThrow(/50,001 turns/);
    expect(() => { checkReferenceBytes(sized(6e6)); }).toThrow(/“big.rttm” is 6 MB.*npm run score/);
  });
});

describe('a search through a file', () => {
  it('finds a match in any part, also across two parts', async () => {
    for (const before of [0, 10, 999_995, 1_000_000, 2_500_000]) {
      const file = new File([' '.repeat(before), '"word": 1', ' '.repeat(200)], 'a.json');
      await expect(holds(file, /"word"\s*:/)).resolves.toBe(true);
    }
    await expect(holds(new File(['[]'], 'a.json'), /"word"/)).resolves.toBe(false);
    await expect(holds(new File([], 'a.json'), /"word"/)).resolves.toBe(false);
  });
});
