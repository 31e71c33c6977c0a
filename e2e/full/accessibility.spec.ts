/** Runs axe on every view, in light and dark themes, at narrow and wide widths. */
import { accessibilityTests } from '../../test/browser/accessibilityTests';
import { test } from '../../test/browser/test';
import { WITHOUT_GPU } from '../../test/browser/withoutGpu';

test.use(WITHOUT_GPU);

accessibilityTests('light', 1440);
accessibilityTests('dark', 360);
