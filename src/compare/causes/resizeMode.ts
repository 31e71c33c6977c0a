import { floatAttribute, textAttribute, textOf, withAttributes } from '../../onnx/replaceNodes';
import type { Cause } from '../report';
import type { CauseContext } from './context';
import { provenRepair, repairsOf } from './repair';

/** How tensors are resized, as frameworks do it, likely ones first. */
const SETTINGS = [
  { mode: 'linear', coordinates: 'half_pixel', nearest: 'floor' },
  { mode: 'linear', coordinates: 'align_corners', nearest: 'floor' },
  { mode: 'linear', coordinates: 'pytorch_half_pixel', nearest: 'floor' },
  { mode: 'linear', coordinates: 'asymmetric', nearest: 'floor' },
  { mode: 'nearest', coordinates: 'asymmetric', nearest: 'floor' },
  { mode: 'nearest', coordinates: 'half_pixel', nearest: 'round_prefer_floor' },
  { mode: 'nearest', coordinates: 'half_pixel', nearest: 'floor' },
  { mode: 'nearest', coordinates: 'half_pixel', nearest: 'ceil' },
  { mode: 'nearest', coordinates: 'align_corners', nearest: 'round_prefer_floor' },
  { mode: 'cubic', coordinates: 'half_pixel', nearest: 'floor' },
  { mode: 'cubic', coordinates: 'align_corners', nearest: 'floor' },
] as const;

/** Of cubic resizing in PyTorch, as in ONNX. */
const CUBIC = -0.75;

/** A tensor is resized in another mode, or with other coordinates of its values. */
export function resizeMode(context: CauseContext): Promise<Cause | null> {
  const { graph } = context;
  const nodes = graph?.nodes.filter(({ opType }) => opType === 'Resize') ?? [];
  return provenRepair(context, 'resize-mode', repairsOf(
    SETTINGS.map(({ mode, coordinates, nearest }) => ({
      changes: nodes
        .filter((node) => textOf(node, 'mode', 'nearest') !== mode || textOf(node, 'coordinate_transformation_mode', 'half_pixel') !== coordinates || mode === 'nearest')
        .map((node) => {
          const attributes = [textAttribute('mode', mode), textAttribute('coordinate_transformation_mode', coordinates), textAttribute('nearest_mode', nearest)];
          return { node, nodes: [withAttributes(node, ...attributes, floatAttribute('cubic_coeff_a', CUBIC))] };
        }),
      text: (label) => `the mode ${mode} with coordinates ${coordinates}${mode === 'nearest' ? ` and rounding ${nearest}` : ''} in ${label}`,
      values: { mode, coordinates, nearest },
    })),
  ));
}
