/** The network of Nemotron 3 Diarization in full size, with seeded weights, on WASM. */
import { sortformerNetworkTests } from '../sortformerNetworkTests';
import { NEMOTRON } from '../seededNemotron';

sortformerNetworkTests(NEMOTRON.numLayers);
