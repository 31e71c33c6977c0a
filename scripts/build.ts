/** Builds the app into `dist`. The lock keeps two processes, such as a command and `npm start`, from building at once. */
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
