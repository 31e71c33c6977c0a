/** The network of Nemotron 3 Diarization in full size, with seeded weights, on WASM. */
import { networkSuite } from '../sortformerSuite';
import { NEMOTRON } from '../seededNemotron';

networkSuite(NEMOTRON.numLayers);
