import type { NodeProto } from '../../onnx/onnx_pb';
import { Draft, floatAttribute } from '../../onnx/replaceNodes';
import type { Cause } from '../report';
import { activationSites, lastNodeSite, type ActivationSite } from './activationSites';
import type { CauseContext } from './context';
import { labelOf, provenRepair, type Repair } from './repair';

/** Adds nodes that compute a function of `x`, and gives the name of its value. */
type Build = (draft: Draft, x: string) => string;

/** The functions that are tried, likely ones first. */
const ACTIVATIONS: Readonly<Record<string, Build>> = {
  'GELU (erf)': (draft, x) => gate(draft, x, draft.add('Erf', [times(draft, x, Math.SQRT1_2)])),
  'GELU (tanh)': (draft, x) => {
    const cube = draft.add('Mul', [draft.add('Mul', [x, x]), x]);
    const inner = draft.add('Add', [x, times(draft, cube, 0.044715)]);
    return gate(draft, x, draft.add('Tanh', [times(draft, inner, Math.sqrt(2 / Math.PI))]));
  },
  ReLU: (draft, x) => draft.add('Relu', [x]),
  SiLU: (draft, x) => draft.add('Mul', [x, draft.add('Sigmoid', [x])]),
  'quick GELU': (draft, x) => draft.add('Mul', [x, draft.add('Sigmoid', [times(draft, x, 1.702)])]),
  'leaky ReLU (0.01)': (draft, x) => draft.add('LeakyRelu', [x], floatAttribute('alpha', 0.01)),
  'leaky ReLU (0.1)': (draft, x) => draft.add('LeakyRelu', [x], floatAttribute('alpha', 0.1)),
  'leaky ReLU (0.2)': (draft, x) => draft.add('LeakyRelu', [x], floatAttribute('alpha', 0.2)),
  ELU: (draft, x) => draft.add('Elu', [x]),
  Sigmoid: (draft, x) => draft.add('Sigmoid', [x]),
  Tanh: (draft, x) => draft.add('Tanh', [x]),
  Softplus: (draft, x) => draft.add('Softplus', [x]),
  Mish: (draft, x) => draft.add('Mul', [x, draft.add('Tanh', [draft.add('Softplus', [x])])]),
  'hard swish': (draft, x) => draft.add('Mul', [x, hardSigmoid(draft, x)]),
  'hard sigmoid': hardSigmoid,
  ReLU6: (draft, x) => draft.add('Min', [draft.add('Relu', [x]), draft.scalar(6)]),
  'no activation': (_, x) => x,
};

/**
 * An activation function is another than in the golden network, such as GELU by tanh in place of erf, or missing at the
 * end of the stage.
 */
export function otherActivation(context: CauseContext): Promise<Cause | null> {
  const { graph } = context;
  if (!graph) return Promise.resolve(null);
  const sites = activationSites(graph);
  // Without an activation, one may be missing at the end.
  const missing = sites.length === 0 ? lastNodeSite(graph) : null;
  const kinds = [...new Set(sites.map(({ kind }) => kind))];
  const groups = kinds.map((kind) => sites.filter((site) => site.kind === kind)).filter((group) => group.length > 1);
  const repairs: Repair[] = Object.entries(ACTIVATIONS).flatMap(([name, build]) => [
    ...groups.filter(([site]) => !isSameFunction(site!, name)).map((group) => repairOf(group, name, build)),
    ...(missing ? [repairOf([missing], name, build)] : []),
  ]);
  const alone = Object.entries(ACTIVATIONS).flatMap(([name, build]) =>
    sites.filter((site) => !isSameFunction(site, name)).map((site) => repairOf([site], name, build)));
  return provenRepair(context, 'activation', [...repairs, ...alone]);
}

/** The same function with another parameter is another cause. */
const SAME_KIND: Readonly<Record<string, RegExp>> = {
  Elu: /^ELU$/, LeakyRelu: /^leaky ReLU/, Relu: /^ReLU$/, Gelu: /^GELU \(erf\)$/, QuickGelu: /^quick GELU$/, HardSwish: /^hard swish$/,
};

const isSameFunction = ({ kind }: ActivationSite, name: string): boolean => kind === name || (SAME_KIND[kind]?.test(name) ?? false);

function repairOf(sites: readonly ActivationSite[], name: string, build: Build): Repair {
  const changes = new Map<string, readonly NodeProto[]>();
  for (const site of sites) {
    const draft = new Draft(site.node.output[0]!);
    changes.set(site.node.output[0]!, draft.give(build(draft, site.input ?? draft.copy(site.node))));
  }
  const nodes = sites.map(({ node }) => labelOf(node)).join(', ');
  const place = sites.every(({ input }) => input === null) ? `after the node ${nodes}` : `in place of ${sites[0]!.kind} in ${nodes}`;
  return { changes, text: `${name} ${place}`, values: { activation: name, nodes } };
}

const times = (draft: Draft, x: string, factor: number): string => draft.add('Mul', [x, draft.scalar(factor)]);

/** x · (1 + gate) / 2 */
const gate = (draft: Draft, x: string, value: string): string =>
  times(draft, draft.add('Mul', [x, draft.add('Add', [value, draft.scalar(1)])]), 0.5);

/** As PyTorch has it: ONNX's own default slope is 0.2. */
function hardSigmoid(draft: Draft, x: string): string {
  return draft.add('HardSigmoid', [x], floatAttribute('alpha', 1 / 6), floatAttribute('beta', 0.5));
}
