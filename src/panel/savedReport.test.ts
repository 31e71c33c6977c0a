import { describe, expect, it } from 'vitest';
import { VoxlaneError } from '../util/errors';
import { reportJson } from './files';
import { INITIAL_STATE, type State } from './state';
import { report } from '../../test/compare/reports';
import { opened } from '../../test/app/compareReports';

const AT = Date.UTC(2030, 0, 2);
const STATE: State = {
  ...INITIAL_STATE,
  opened: opened('a', 'b'),
  reports: { wasm: report('wasm', [{ name: 'a' }, { name: 'b', maxAbs: 1 }]), webgpu: null },
};

interface Saved {
  readonly format: string;
  readonly created: string;
  readonly model: { readonly sha256: string };
  readonly environment: Readonly<Record<string, string>>;
  readonly reports: readonly { readonly backend: string; readonly firstDivergence: string | null; readonly stages: readonly { readonly worst: unknown }[] }[];
  readonly edited: { readonly tolerances: unknown; readonly verdicts: readonly { readonly verdict: string }[] } | null;
}
const save = (state: State): Saved => JSON.parse(reportJson(state, { browser: 'a test' }, AT)) as Saved;

describe('reportJson', () => {
  it('contains the models, the environment, and the results', () => {
    expect(save(STATE)).toMatchObject({
      format: 'voxlane-comparison',
      created: '2030-01-02T00:00:00.000Z',
      model: { sha256: STATE.opened!.graph.sha256 },
      environment: { browser: 'a test' },
      reports: [{ backend: 'wasm', firstDivergence: 'b' }],
      edited: null,
    });
  });

  it('keeps edited tolerances and their verdicts separate from the verdict', () => {
    const saved = save({ ...STATE, tolerances: new Map([['b', { maxAbs: 2, cosine: 0 }]]) });
    expect(saved.reports[0]).toMatchObject({ verdict: 'fail', firstDivergence: 'b' });
    expect(saved.edited).toMatchObject({ tolerances: { b: { maxAbs: 2 } }, verdicts: [{ backend: 'wasm', verdict: 'pass' }] });
  });

  it('writes non-finite numbers', () => {
    const worst = { index: [0], actual: NaN, golden: -Infinity, seconds: null };
    const saved = save({ ...STATE, reports: { wasm: report('wasm', [{ name: 'a', worst }]), webgpu: null } });
    expect(saved.reports[0]?.stages[0]?.worst).toEqual({ index: [0], actual: 'NaN', golden: '-Infinity', seconds: null });
  });

  it('fails if nothing is open', () => {
    expect(() => save(INITIAL_STATE)).toThrow(VoxlaneError);
  });
});
