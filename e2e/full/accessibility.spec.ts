/** Runs axe on every view with the theme and width not covered by `npm test`. */
import { accessibilityTests } from '../../test/browser/accessibilityTests';
import { test } from '../../test/browser/test';
import { WITHOUT_GPU } from '../../test/browser/withoutGpu';

test.use(WITHOUT_GPU);

accessibilityTests('light', 1440);
