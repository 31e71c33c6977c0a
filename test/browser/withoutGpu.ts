import { chromiumArguments, findChromium } from '../../cli/chromium';

/**
 * For specs that do not test backends: without an adapter, a recording starts immediately. Checking a software adapter takes
 * longer than processing the sample.
 */
export const WITHOUT_GPU = { launchOptions: { executablePath: findChromium(), args: chromiumArguments('none') } };
