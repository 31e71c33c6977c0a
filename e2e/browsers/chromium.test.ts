import { chromium } from './drivers/chromium';
import { journey } from './journey';

journey(chromium);
