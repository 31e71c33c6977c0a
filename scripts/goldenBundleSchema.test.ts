import { expect, it } from 'vitest';
import { goldenBundleSchema } from './goldenBundleSchema';

// After a change of the format: npx vitest run scripts/goldenBundleSchema.test.ts -u
it('public/golden-bundle.schema.json matches the schema of the reader (if not, run this file with -u)', async () => {
  await expect(goldenBundleSchema()).toMatchFileSnapshot('../public/golden-bundle.schema.json');
});
