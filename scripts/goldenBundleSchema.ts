/** The JSON Schema of the manifest of a golden bundle, for editors and validators. */
import { toJsonSchema } from '@valibot/to-json-schema';
import { DEFAULT_COSINE, goldenManifestSchema } from '../src/compare/files/manifest';

/** Meaning of each field, by its path or, if it is the same everywhere, by its name. */
const DESCRIPTIONS: Readonly<Record<string, string>> = {
  model: 'ID of a model of this release, or any name for another model.',
  source: 'Where the values come from: framework, checkpoint, recording, script. Shown, not interpreted.',
  graph: 'Path of an ONNX file in the bundle that should produce these values: a self-contained bug report.',
  inputs: 'Inputs of the model.',
  stages: "Outputs of the original model's stages, in the order of computation.",
  tolerance: 'Maximum difference of a correct stage.',
  streaming: 'Steps of a model with a state. The input is then the recording, samples, and stages is empty.',
  name: 'Unique among the inputs, or among the stages.',
  file: 'Path of the file, from the folder of manifest.json, with forward slashes.',
  axes: 'Name of each axis, such as batch, channel, sample, frame, mel or class. Tensors are aligned by these names.',
  value: "Name of the graph value that this stage corresponds to, if it differs from the stage's name.",
  decisions: 'What the stage decides. By default this follows from the graph and from an axis `class`.',
  kind: 'A class per row, each value compared with a threshold, the order of the greatest values, or nothing.',
  threshold: 'For threshold. Default 0.5.',
  top: 'For ranking: number of places. Default 10.',
  max_abs: "Greatest absolute difference of two values, in the stage's own unit. Applies in addition to rtol.",
  cosine: `Minimum cosine similarity of the two tensors, each taken as one vector. ${DEFAULT_COSINE} if neither the stage nor the bundle specifies it.`,
  rtol: 'Maximum root mean square of the error, relative to the spread of the golden tensor. By default it follows from the type of the values.',
  atol: 'Absolute error that passes rtol at any scale.',
  argmax_agreement: 'Least share of rows with the same greatest class; only of a tensor with an axis `class`.',
  'stages.tolerance': "What differs from the bundle's tolerance.",
  mode: 'Mode of the loop over chunks, such as offline or low_latency.',
  settings: "Sizes of the loop, as in the section streaming of the model's manifest.",
  features: "For the mel frames: what differs from the bundle's tolerance.",
  steps: 'Some or all steps, in the order of the recording.',
  index: 'Number of the step in the recording, from 0.',
  firstFrame: 'First encoder frame of the chunk of the step.',
  'steps.inputs': 'Inputs of the graph in this step: features, state (the speaker cache and FIFO before the step), valid.',
  'steps.stages': "Outputs of the original model's stages in this step.",
};

interface Node {
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
}

/** Adds the descriptions to the properties of a node. @param parent name of its property; empty at the top */
function described(node: Node, parent: string): Node {
  const { properties, items } = node;
  return {
    ...node,
    ...(items && { items: described(items, parent) }),
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, property]) => {
          const description = DESCRIPTIONS[`${parent}.${name}`] ?? DESCRIPTIONS[name];
          return [name, { ...described(property, name), ...(description !== undefined && { description }) }];
        }),
      ),
    }),
  };
}

/** The schema as JSON text. JSON has no infinite numbers, so the schema need not forbid them; nothing else is lost in the conversion. */
export function goldenBundleSchema(): string {
  const { $schema, ...fields } = toJsonSchema(goldenManifestSchema, { typeMode: 'input', ignoreActions: ['finite'] });
  const schema = {
    ...described(fields as Node, ''),
    title: 'Golden bundle',
    description: 'manifest.json of a golden bundle: inputs of a model and the expected outputs of its stages.',
    $schema,
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}
