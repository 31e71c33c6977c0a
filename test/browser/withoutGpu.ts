import { chromiumArguments, findChromium } from '../../cli/chromium';

/**
 * For specs of the page that are not about backends: with no adapter to try, a recording starts at once. Trying a
 * software adapter takes longer than the sample itself.
 */
export const WITHOUT_GPU = { launchOptions: { executablePath: findChromium(), args: chromiumArguments('none') } };
