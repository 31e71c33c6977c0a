import { toJsonSchema } from '@valibot/to-json-schema';
import { expect, it } from 'vitest';
import { goldenManifestSchema } from './manifest';

// After a change of the format: npx vitest run src/compare/files/schema.test.ts -u
it('public/golden-bundle.schema.json matches the schema of the reader (if not, run this file with -u)', async () => {
  // JSON has no infinite numbers, so the schema need not forbid them; nothing else may be lost in the conversion.
  const schema = toJsonSchema(goldenManifestSchema, { typeMode: 'input', ignoreActions: ['finite'] });
  await expect(`${JSON.stringify(schema, null, 2)}\n`).toMatchFileSnapshot('../../../public/golden-bundle.schema.json');
});
