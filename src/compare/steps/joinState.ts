import { create } from '@bufbuild/protobuf';
import { graphOf } from '../../onnx/model';
import { copyWith } from '../../onnx/nodes';
import { type ModelProto, NodeProtoSchema } from '../../onnx/onnx_pb';
import { intAttribute } from '../../onnx/replaceNodes';
import { makeValueInfo } from '../../onnx/types';
import { sizeOfLastAxis } from '../../sortformer/graphNetwork';
import type { DiarizationManifest } from '../../store/diarizationManifest';

/** Name of the input with speaker cache and FIFO, in golden bundles too. */
export const STATE = 'state';

/**
 * Joins the parts of a streaming model as its loop does in a step: the frames of the encoder are the state, a new input, and
 * behind it the projected frames of the chunk. Then an error of the projection reaches the encoder, and the state alone can be
 * set to the golden one.
 *
 * @throws VoxlaneError `model-invalid` if the manifest does not state the size of a frame
 */
export function joinState(model: ModelProto, { embeds, stacked }: DiarizationManifest['tensors']): ModelProto {
  const graph = graphOf(model);
  const input = graph.input.map((one) =>
    one.name === embeds.name ? makeValueInfo(STATE, { dtype: embeds.dtype, shape: [null, sizeOfLastAxis(embeds)] }) : one,
  );
  const join = create(NodeProtoSchema, {
    opType: 'Concat',
    name: embeds.name,
    input: [STATE, stacked.name],
    output: [embeds.name],
    attribute: [intAttribute('axis', 0)],
  });
  return copyWith(model, { graph: copyWith(graph, { input, node: [...graph.node, join] }) });
}
