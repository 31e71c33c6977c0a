import type { DecisionReport } from '../report';

/** Of several backends: for each output, the decisions of the one with most that differ; of equal ones the first. */
export function worseDecisions(runs: readonly { readonly decisions: readonly DecisionReport[] }[]): DecisionReport[] {
  const byStage = new Map<string, DecisionReport>();
  for (const { decisions } of runs) {
    for (const one of decisions) {
      const known = byStage.get(one.stage);
      if (!known || one.differing > known.differing) byStage.set(one.stage, one);
    }
  }
  return [...byStage.values()];
}

/** What the rows of an output are: frames, items of a batch, or other rows. */
export function unitOf({ axes }: Pick<DecisionReport, 'axes'>): 'frame' | 'item' | 'row' {
  if (axes.includes('frame')) return 'frame';
  return axes.every((axis) => axis === 'batch') ? 'item' : 'row';
}
