import { defineConfig } from 'vitest/config';
import { coverage, coverageFolder } from './scripts/coverage/plugin.ts';
import { kernels } from './scripts/kernelsPlugin.ts';
import { resampler } from './scripts/resamplerPlugin.ts';

export default defineConfig({
  plugins: [coverage(), kernels(), resampler()],
  test: {
    setupFiles: coverageFolder ? ['scripts/coverage/vitestSetup.ts'] : [],
    // Tests that take longer than `npm test` should are in `test/full`, for `npm run test:full`.
    include: process.env.VOXLANE_FULL ? ['test/full/**/*.test.ts'] : ['{src,workers,cli,bench,scripts,test}/**/*.test.ts'],
    exclude: process.env.VOXLANE_FULL ? [] : ['test/full/**'],
    testTimeout: 60_000,
  },
});
