import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeEngineFolder } from '../../cli/nodeEngine';
import { makeForeignModel } from '../../test/browser/foreignModel';
import type { Group } from './figure';
import { runJson } from './script';

const BUNDLES = 200;

/** Many bundles in one call of the command, each with its own graph of 56 nodes and four golden stages. */
export const compareBatch: Group = {
  name: 'compare-batch',
  bounds: [
    {
      name: 'compare-200-bundles',
      what: `\`compare\` of a folder of ${BUNDLES} small bundles, including startup`,
      unit: 's',
      limit: 60,
      side: 'at most',
      reason: 'the target is about 30 s on two cores, with a margin for slower machines; absolute because a user or a test run waits for it',
    },
  ],
  measure: async (_, say) => {
    const folder = mkdtempSync(join(tmpdir(), 'voxlane-batch-'));
    try {
      const { onnx, bundle } = makeForeignModel();
      for (let index = 0; index < BUNDLES; index++) {
        writeFileSync(join(folder, `net-${index}.onnx`), onnx);
        writeFileSync(join(folder, `net-${index}.zip`), bundle);
      }
      await nodeEngineFolder(say);
      const start = performance.now();
      const { counts } = (await runJson('cli/compare.ts', [folder, '--json'])) as { counts: Record<string, number> };
      const seconds = (performance.now() - start) / 1000;
      if (counts.pass !== BUNDLES) throw new Error(`${counts.pass} of ${BUNDLES} bundles passed`);
      return { 'compare-200-bundles': seconds };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
