import { defineConfig } from 'vitest/config';
import { coverage, coverageFolder } from './scripts/coverage/plugin.ts';
import { kernels } from './scripts/kernelsPlugin.ts';
import { resampler } from './scripts/resamplerPlugin.ts';

const shared = {
  extends: true as const,
  test: {
    setupFiles: coverageFolder ? ['scripts/coverage/vitestSetup.ts'] : [],
    testTimeout: 120_000,
  },
};

/** Dawn must be loaded in a process of its own, with the driver in its environment. */
const GPU_TESTS = ['test/gpu/**/*.test.ts', 'test/full/gpu*.test.ts'];

export default defineConfig({
  plugins: [coverage(), kernels(), resampler()],
  test: {
    // Tests that take longer than `npm test` should are in `test/full`, for `npm run test:full`.
    projects: process.env.VOXLANE_FULL
      ? [
          { ...shared, test: { ...shared.test, name: 'full', include: ['test/full/**/*.test.ts'], exclude: GPU_TESTS } },
          { ...shared, test: { ...shared.test, name: 'gpu', include: ['test/full/gpu*.test.ts'] } },
        ]
      : [
          {
            ...shared,
            test: {
              ...shared.test,
              name: 'units',
              include: ['{src,workers,cli,bench,scripts,test}/**/*.test.ts'],
              exclude: ['test/full/**', ...GPU_TESTS],
              // Modules are loaded once per thread: most files take longer to load than to run.
              pool: 'threads',
              isolate: false,
            },
          },
          { ...shared, test: { ...shared.test, name: 'gpu', include: ['test/gpu/**/*.test.ts'] } },
        ],
  },
});
