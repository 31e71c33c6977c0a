/** Builds, packs and installs both packages for concurrent tests: `tsx test/packages/prepare.ts`. */
import { installPackages } from './pack';

await installPackages();
