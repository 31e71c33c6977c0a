import { webkit } from './drivers/webkit';
import { journey } from './journey';

journey(webkit);
