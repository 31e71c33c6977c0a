import { defineConfig } from 'vitest/config';
import { kernels } from './scripts/kernelsPlugin.ts';
import { resampler } from './scripts/resamplerPlugin.ts';

export default defineConfig({
  plugins: [kernels(), resampler()],
  test: {
    // What takes longer than `npm test` should is in files of its own, for `npm run test:full`.
    include: [`{src,workers,cli,bench,scripts}/**/*${process.env.VOXLANE_FULL ? '.full' : ''}.test.ts`],
    exclude: process.env.VOXLANE_FULL ? [] : ['**/*.full.test.ts'],
    testTimeout: 30_000,
  },
});
