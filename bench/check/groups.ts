import { cancel } from './cancel';
import { clustering } from './clustering';
import { compare } from './compare';
import { compareBatch } from './compareBatch';
import type { Group } from './figure';
import { crowd } from './crowd';
import { functions } from './functions';
import { nemotron } from './nemotron';
import { nemotronHours } from './nemotronHours';
import { page } from './page';
import { recluster } from './recluster';
import { scale } from './scale';
import { scroll } from './scroll';
import { resnet, speed } from './speed';
import { stream } from './stream';
import { widgets } from './widgets';

/** All groups of `npm run bench -- --check`, shortest first. */
export const GROUPS: readonly Group[] = [functions, page, scroll, crowd, compare, cancel, stream, nemotron, nemotronHours, compareBatch, speed, resnet, recluster, widgets, clustering, scale];
