import { readFileSync } from 'node:fs';
import type { ComparisonReport } from '../../src/compare/report';
import type { Evaluator } from './evaluator';

/** Compares every stage of a shipped bundle on one backend in a page with the library. */
export function compareShipped(page: Evaluator, id: string, backend: 'wasm' | 'webgpu'): Promise<ComparisonReport> {
  return page.evaluate(
    async (asked) => {
      const comparator = new voxlane.Comparator();
      try {
        await comparator.openShipped(asked.id);
        return await comparator.compare(asked.backend);
      } finally {
        comparator.dispose();
      }
    },
    { id, backend },
  );
}

/** Faults in the report on a shipped bundle: missing stages, and stages that fail on computed or golden input. */
export function faultsOfParity(report: ComparisonReport, id: string, backend: 'wasm' | 'webgpu'): string[] {
  const { stages } = JSON.parse(readFileSync(`models/${id}/manifest.json`, 'utf8')) as { stages: { name: string }[] };
  const faults = stages.filter(({ name }) => !report.stages.some((stage) => stage.name === name)).map(({ name }) => `${name} is missing`);
  for (const { name, maxAbs, cosine, verdict, forced } of report.stages) {
    console.log(`${id} ${backend} ${name}: max abs ${maxAbs?.toExponential(1)}, 1 - cosine ${(1 - cosine!).toExponential(1)}`);
    if (verdict !== 'pass') faults.push(`${name}: ${verdict}`);
    if (forced && forced.verdict !== 'pass') faults.push(`${name} by itself: ${forced.verdict}`);
  }
  if (report.stages.length !== stages.length) faults.push(`${report.stages.length} stages in place of ${stages.length}`);
  if (report.model !== id || report.backend !== backend) faults.push(`it is a report on ${report.model} on ${report.backend}`);
  if (report.verdict !== 'pass' || report.firstDivergence !== null) faults.push(`${report.verdict} from ${report.firstDivergence}`);
  if ((report.adapter === null) !== (backend === 'wasm')) faults.push(`the adapter is ${report.adapter}`);
  return faults;
}
