/** Entry of the worker processes of `corpus run`. */
import { loadNodeEngine } from '../nodeEngine';
import { serveWorker } from './workerServer';

serveWorker(loadNodeEngine);
