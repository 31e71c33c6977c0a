/** Failures of ONNX Runtime because of the version of a graph's file format (IR) or of its operators (opset). */

/** What is wrong with a version, and what to do. */
export interface VersionProblem {
  /** The end of a sentence. */
  readonly reason: string;
  readonly expected: string;
  readonly remedy: string;
}

/** Earlier ones are supported in part. The runtime says so in a warning, and fails at an operator. */
const OLDEST_OPSET = 7;

const NEW_IR = /Unsupported model IR version: (\d+), max supported IR version: (\d+)/;
const NEW_OPSET = /Opset (\d+) is under development .* Current official support for domain (\S+) is till opset (\d+)/s;
const NO_IMPLEMENTATION = /Could not find an implementation for (\S+?)\(\d+\)/;
const NO_OPERATOR = /No Op registered for (\S+) with domain_version of (\d+)/;

/**
 * @param opset reads the version of ONNX's own operators from the graph; called only if it matters
 * @returns null if the failure has another reason
 */
export function versionProblem(message: string, opset: () => number): VersionProblem | null {
  const ir = NEW_IR.exec(message);
  if (ir) return newIr(ir[1]!, ir[2]!);
  const tooNew = NEW_OPSET.exec(message);
  if (tooNew) return newOpset(tooNew[1]!, tooNew[2]!, tooNew[3]!);
  const without = NO_IMPLEMENTATION.exec(message);
  if (without && opset() < OLDEST_OPSET) return oldOpset(opset(), without[1]!);
  const unknown = NO_OPERATOR.exec(message);
  return unknown && unknownOperator(unknown[1]!, unknown[2]!);
}

const newIr = (version: string, latest: string): VersionProblem => ({
  reason: `the graph has ONNX IR version ${version}`,
  expected: `IR version ${latest} or earlier, which this runtime supports`,
  remedy: `Export the graph with an earlier release of the onnx package, or load it with onnx in Python, set model.ir_version = ${latest} and save it`,
});

function newOpset(version: string, domain: string, latest: string): VersionProblem {
  const isDefault = domain === 'ai.onnx';
  return {
    reason: `the graph has opset ${version}${isDefault ? '' : ` of ${domain}`}`,
    expected: `opset ${latest} or earlier${isDefault ? '' : ` of ${domain}`}, which this runtime supports`,
    remedy: isDefault
      ? `Export the graph with opset_version=${latest}, or convert it with onnx.version_converter.convert_version(model, ${latest})`
      : `Export the graph with opset ${latest} of ${domain}`,
  };
}

const oldOpset = (version: number, operator: string): VersionProblem => ({
  reason: `the graph has opset ${version}, of which this runtime has no ${operator}`,
  expected: `opset ${OLDEST_OPSET} or later, which this runtime supports`,
  remedy: `Export the graph with opset_version=${OLDEST_OPSET} or later, such as 17, or convert it with onnx.version_converter.convert_version(model, 17)`,
});

const unknownOperator = (operator: string, version: string): VersionProblem => ({
  reason: `it has no operator ${operator} in version ${version}`,
  expected: 'operators that this runtime has in the version that the graph names',
  remedy: `Export the graph with a later opset_version if ${operator} exists there; otherwise check the name and the domain of the operator`,
});
