import { zipSync, type Zippable } from 'fflate';
import type { Tolerance } from '../compare';
import type { NamedTensor, Tensor } from '../tensor';
import { fromTolerance, MANIFEST, type GoldenManifestJson } from './manifest';

/** A stage to write. */
interface StageToWrite extends NamedTensor {
  /** Defaults to the bundle's tolerance. */
  readonly tolerance?: Tolerance;
  /** Name of the graph value that the stage corresponds to; by default not specified. */
  readonly value?: string | null;
}

/** Contents of a bundle. */
export interface BundleToWrite {
  readonly model: string;
  readonly source: Readonly<Record<string, unknown>>;
  readonly inputs: readonly NamedTensor[];
  /** In the order in which the model computes them. */
  readonly stages: readonly StageToWrite[];
  readonly tolerance: Tolerance;
  /** An ONNX file that should produce these values. It makes the bundle a self-contained bug report. */
  readonly graph?: Uint8Array | null;
}

const GRAPH_FILE = 'graph.onnx';
/** Values begin at a multiple of this size, which aligns memory maps of the file. */
const NPY_ALIGNMENT = 64;
/** The first date that a zip can store. Zips store local time; a new `Date` per call is the same in every time zone. */
const fixedDay = (): Date => new Date(1980, 0, 1);

/** Writes float32 values as a `.npy` file, byte-identical to numpy's. */
export function writeNpy({ shape, data }: Tensor): Uint8Array {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const values = new Uint8Array(4 * data.length);
  const view = new DataView(values.buffer);
  data.forEach((value, index) => { view.setFloat32(4 * index, value, true); });
  return writeNpyFile(`{'descr': '<f4', 'fortran_order': False, 'shape': (${sizes}), }`, values);
}

/**
 * Writes a `.npy` file with this header and these values, without checking that they match.
 *
 * @param dictionary in Python's notation, ASCII only
 */
export function writeNpyFile(dictionary: string, values: Uint8Array, version: 1 | 2 | 3 = 1): Uint8Array {
  const textStart = version === 1 ? 10 : 12;
  const dataStart = Math.ceil((textStart + dictionary.length + 1) / NPY_ALIGNMENT) * NPY_ALIGNMENT;
  const file = new Uint8Array(dataStart + values.length);
  file.set([0x93, ...new TextEncoder().encode('NUMPY'), version, 0]);
  const view = new DataView(file.buffer);
  if (version === 1) view.setUint16(8, dataStart - textStart, true);
  else view.setUint32(8, dataStart - textStart, true);
  const text = `${dictionary.padEnd(dataStart - textStart - 1)}\n`;
  file.set(new TextEncoder().encode(text), textStart);
  file.set(values, dataStart);
  return file;
}

/** Writes a golden bundle as a zip. The same tensors always produce the same bytes. */
export function writeBundle({ model, source, inputs, stages, tolerance, graph }: BundleToWrite): Uint8Array {
  const inputFiles = filePaths('inputs', inputs);
  const stageFiles = filePaths('stages', stages);
  const manifest: GoldenManifestJson = {
    format: 'golden-bundle',
    version: 1,
    model,
    source: { ...source },
    ...(graph && { graph: GRAPH_FILE }),
    inputs: inputs.map(({ name, axes }, index) => ({ name, file: inputFiles[index]!, axes: [...axes] })),
    stages: stages.map(({ name, axes, value, tolerance: own }, index) => ({
      name,
      file: stageFiles[index]!,
      axes: [...axes],
      ...(value && { value }),
      ...(own && toleranceEntry(own, tolerance)),
    })),
    tolerance: fromTolerance(tolerance),
  };
  const files: Zippable = { [MANIFEST]: new TextEncoder().encode(`${JSON.stringify(manifest, null, 1)}\n`) };
  inputs.forEach((tensor, index) => { files[inputFiles[index]!] = writeNpy(tensor); });
  stages.forEach((tensor, index) => { files[stageFiles[index]!] = writeNpy(tensor); });
  if (graph) files[GRAPH_FILE] = graph;
  return zipSync(files, { mtime: fixedDay() });
}

/** The fields of a stage's tolerance that differ from the bundle's. */
function toleranceEntry(own: Tolerance, common: Tolerance): Pick<GoldenManifestJson['stages'][number], 'tolerance'> {
  const shared = Object.entries(fromTolerance(common));
  const differing = Object.entries(fromTolerance(own)).filter(
    ([name, bound]) => !shared.some(([other, value]) => other === name && value === bound),
  );
  return differing.length === 0 ? {} : { tolerance: Object.fromEntries(differing) };
}

/** A path for each tensor: its name if it is a valid file name. Paths are unique even on case-insensitive file systems. */
function filePaths(folder: string, tensors: readonly NamedTensor[]): string[] {
  const taken = new Set<string>();
  return tensors.map(({ name }) => {
    let path = `${folder}/${name.replace(/[^\w.-]+/g, '_').slice(0, 100)}`;
    while (taken.has(path.toLowerCase())) path += '_';
    taken.add(path.toLowerCase());
    return `${path}.npy`;
  });
}
