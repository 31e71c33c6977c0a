import type { ModelProto } from '../onnx/onnx_pb';
import { VoxlaneError } from '../util/errors';

/** More would be a list of the whole network. */
const MAX_NAMED = 5;
/** Codes of errors that come from the graph and not from the device. */
const CODES = new Set(['backend-failed', 'options']);

/**
 * Runs `work`, which runs `model`. If it fails for a reason that lies in the graph, and the message names none of the graph's
 * operators, the first of them are added to the message.
 *
 * @throws what `work` throws
 */
export async function namingOperators<Result>({ graph }: ModelProto, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof VoxlaneError) || !CODES.has(error.code)) throw error;
    const operators = [...new Set(graph?.node.map(({ opType }) => opType))];
    const isNamed = operators.some((operator) => new RegExp(`\\b${operator}\\b`).test(error.problem));
    if (isNamed || operators.length === 0) throw error;
    const { code, problem, expected, remedy } = error;
    const numMore = operators.length - MAX_NAMED;
    const list = `${operators.length === 1 ? 'operator' : 'operators'} ${operators.slice(0, MAX_NAMED).join(', ')}${numMore > 0 ? ` and ${numMore} more` : ''}`;
    throw new VoxlaneError(
      { code, problem: `${problem} (${list})`, ...(expected !== undefined && { expected }), ...(remedy !== undefined && { remedy }) },
      { cause: error.cause },
    );
  }
}
