import { describe, expect, it } from 'vitest';
import { reportOf } from './report';
import { derOf, ratioOf, ratiosOf, type PeerRun } from './runs';

const run = (changes: Partial<PeerRun>): PeerRun => ({
  file: 'a.wav',
  round: 1,
  system: 'voxlane',
  backend: 'wasm',
  preset: 'exact',
  threads: 2,
  rtf: 0.1,
  der: null,
  ...changes,
});
const sherpa = (changes: Partial<PeerRun>): PeerRun => run({ system: 'sherpa-onnx', preset: null, threads: 1, ...changes });

describe('ratioOf', () => {
  it('is the median of the pairs, not the ratio of the medians', () => {
    const runs = [
      ...[0.4, 0.9, 0.2].map((rtf, at) => sherpa({ round: at + 1, rtf })),
      ...[0.1, 0.3, 0.2].map((rtf, at) => run({ round: at + 1, rtf })),
    ];
    // Pairs: 4, 3, 1. The ratio of the medians would be 0.4 / 0.2.
    expect(ratioOf(runs, 'wasm', 'exact')).toBeCloseTo(3, 12);
  });

  it('does not pair runs of different files, rounds, presets or backends', () => {
    const others = [{ file: 'b.wav' }, { round: 2 }, { preset: 'fast' }, { backend: 'webgpu' }] as const;
    const runs = [sherpa({ rtf: 0.5 }), ...others.map((changes) => run({ ...changes, rtf: 0.001 }))];
    expect(ratioOf(runs, 'wasm', 'exact')).toBeNaN();
    expect(ratioOf([...runs, run({ rtf: 0.25 })], 'wasm', 'exact')).toBe(2);
  });
});

describe('ratiosOf', () => {
  it('contains each preset measured together with the peer', () => {
    const runs = [sherpa({ rtf: 0.4 }), run({ rtf: 0.2 }), run({ preset: 'fast', rtf: 0.05 })];
    expect(ratiosOf(runs, 'wasm')).toEqual({ exact: 2, fast: 8 });
    expect(ratiosOf(runs.slice(1), 'wasm')).toEqual({});
  });
});

describe('reportOf', () => {
  it('uses the ratios of the first backend and keeps those of all backends', () => {
    const runs = [sherpa({ rtf: 0.4 }), run({ rtf: 0.2 }), run({ backend: 'webgpu', threads: null, rtf: 0.01 })];
    const report = reportOf(runs);
    expect(report.ratios).toEqual({ exact: 2 });
    expect(report.ratiosByBackend).toEqual({ wasm: { exact: 2 }, webgpu: { exact: 40 } });
    expect(report.runs).toBe(runs);
  });

  it('has no ratios if Voxlane did not run', () => {
    expect(reportOf([sherpa({})])).toMatchObject({ ratios: {}, ratiosByBackend: {} });
  });
});

describe('derOf', () => {
  const reference = 'SPEAKER other-name 1 0.000 10.000 <NA> <NA> anna <NA> <NA>\n';

  it('is a fraction, regardless of the names of speakers and recording', () => {
    const turns = [
      { startSeconds: 0, endSeconds: 8, speaker: 'SPEAKER_00' },
      { startSeconds: 8, endSeconds: 10.5, speaker: 'SPEAKER_01' },
    ];
    expect(derOf(reference, turns, 'a')).toBeCloseTo(0.25, 12);
    expect(derOf(reference, [], 'a')).toBe(1);
  });

  it('includes boundaries and overlap', () => {
    const overlapped = `${reference}SPEAKER other-name 1 9.900 0.100 <NA> <NA> bert <NA> <NA>\n`;
    expect(derOf(overlapped, [{ startSeconds: 0, endSeconds: 10, speaker: 'S' }], 'a')).toBeCloseTo(0.1 / 10.1, 9);
  });
});
