/** Builds, packs and installs both packages, so that tests that run at once find them: `tsx test/packages/prepare.ts`. */
import { installPackages } from './pack';

await installPackages();
