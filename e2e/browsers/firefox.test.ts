import { firefox } from './drivers/firefox';
import { journey } from './journey';

journey(firefox);
