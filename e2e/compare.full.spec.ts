/** Bundles made by others on WebGPU: minutes each on a software adapter. */
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import type { ComparisonReport } from '../src/compare/report';
import { hasShared, SHARED, SHARED_MISSING } from '../testing/shared';
import { runCommand } from './support/command';

test.describe('bundles made by others', () => {
  test.skip(!hasShared, SHARED_MISSING);
  for (const name of ['seg_dev00', 'cam_dev00']) {
    test(`${name} passes on WebGPU`, async () => {
      test.setTimeout(300_000);
      const { code, stdout } = await runCommand('compare', join(SHARED, 'goldens', `${name}.zip`), '--backend', 'webgpu', '--json');
      const report = JSON.parse(stdout) as ComparisonReport;
      for (const stage of report.stages) console.log(`${name} ${stage.name}: max abs ${stage.maxAbs?.toExponential(1)}`);
      expect(report).toMatchObject({ backend: 'webgpu', verdict: 'pass', firstDivergence: null });
      expect(report.stages.every(({ forced }) => forced === null || forced.verdict === 'pass')).toBe(true);
      expect(code).toBe(0);
    });
  }
});
