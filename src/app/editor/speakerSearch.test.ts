import { describe, expect, it } from 'vitest';
import { matchSpeakers } from './speakerChoice';

const speakers = ['Joanna', 'Anna', 'Hanna Berg', 'Otto'].map((name, color) => ({ id: `S${color}`, name, color }));
const names = (typed: string, without: string | null = null, most = 50) => matchSpeakers(speakers, without, typed, most).matches.map(({ name }) => name);

describe('the search for a speaker', () => {
  it('matches any part of a name, ignoring case, and lists names that begin with it first', () => {
    expect(names('AN')).toEqual(['Anna', 'Joanna', 'Hanna Berg']);
    expect(names(' berg ')).toEqual(['Hanna Berg']);
    expect(names('x')).toEqual([]);
  });

  it('leaves out one speaker, lists a limited number, and counts all', () => {
    expect(names('', 'S1')).toEqual(['Joanna', 'Hanna Berg', 'Otto']);
    expect(matchSpeakers(speakers, null, '', 2)).toMatchObject({ matches: [{ name: 'Joanna' }, { name: 'Anna' }], total: 4 });
  });
});
