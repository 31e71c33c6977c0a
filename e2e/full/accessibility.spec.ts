/** axe on every view: the theme and width that `npm test` leaves out. */
import { accessibilityTests } from '../../test/browser/accessibilityTests';
import { test } from '../../test/browser/test';
import { WITHOUT_GPU } from '../../test/browser/withoutGpu';

test.use(WITHOUT_GPU);

accessibilityTests('light', 1440);
