/** Finds tests that can be skipped without a reason in the report. */
import ts from 'typescript';

/** Names of functions of Vitest and Playwright that skip tests. */
const SKIPPING = new Set(['skip', 'skipIf', 'runIf', 'todo', 'fixme', 'xit', 'xtest', 'xdescribe']);

/** A place in a test that can skip without a reason. */
export interface UnexplainedSkip {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

/**
 * Finds names that skip tests. Tests in Vitest must use test/skips.ts, because its reports contain no reasons. Tests in
 * Playwright may call `test.skip` with a condition and a reason.
 *
 * @param text of the file
 */
export function findSkips(file: string, text: string): UnexplainedSkip[] {
  // Parsing every test takes long, and few have such names.
  if (![...SKIPPING].some((name) => text.includes(name))) return [];
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const isOfVitest = source.statements.some((statement) => ts.isImportDeclaration(statement) && (statement.moduleSpecifier as ts.StringLiteral).text === 'vitest');
  const found: UnexplainedSkip[] = [];
  const visit = (node: ts.Node): void => {
    if (isSkippingName(node) && (isOfVitest || !isExplained(node.parent.parent))) {
      const line = source.getLineAndCharacterOfPosition(node.getStart()).line;
      found.push({ file, line: line + 1, text: text.split('\n')[line]!.trim() });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** Whether a name is used, also in a destructuring pattern or in brackets, and not only that of a new property. */
function isSkippingName(node: ts.Node): boolean {
  if (ts.isStringLiteralLike(node)) return SKIPPING.has(node.text) && ts.isElementAccessExpression(node.parent);
  return ts.isIdentifier(node) && SKIPPING.has(node.text) && !ts.isPropertyAssignment(node.parent);
}

/** Whether a node is a call of Playwright with a condition and a reason; with a title and a body, the call is a skipped test. */
function isExplained(call: ts.Node): boolean {
  if (!ts.isCallExpression(call) || call.arguments.length !== 2) return false;
  const [condition, reason] = call.arguments;
  const isFunction = ts.isArrowFunction(reason!) || ts.isFunctionExpression(reason!);
  const isEmpty = ts.isStringLiteralLike(reason!) && reason.text.trim() === '';
  return !ts.isStringLiteralLike(condition!) && !isFunction && !isEmpty && !ts.isObjectLiteralExpression(reason!);
}
