/** Builds the app into `dist`. A lock prevents concurrent builds, such as by a command and `npm start`. */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { withBuildLock } from '../cli/buildLock';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

await withBuildLock(
  ROOT,
  () => {
    console.error('Waiting for another build of this folder');
  },
  () => build({ root: ROOT }),
);
