import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './pages';

/** Whether both npm packages have been built. */
export const packagesAreBuilt = (): boolean =>
  ['voxlane/dist/index.js', 'voxlane/dist/widget.js', 'voxlane-assets/index.js'].every((path) => existsSync(join(ROOT, 'packages', path)));
