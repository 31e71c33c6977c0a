/**
 * Writes seeded weights, for browser tests, which cannot import a manifest.
 *
 *     node --import tsx test/nemotron/writeSeeded.ts FILE.safetensors LAYERS
 */
import { writeFileSync } from 'node:fs';
import { seededNemotronFile } from '../seededNemotron';

const [path, numLayers] = process.argv.slice(2);
writeFileSync(path!, seededNemotronFile(Number(numLayers)));
