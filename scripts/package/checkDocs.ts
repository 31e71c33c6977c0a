import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { ENTRIES, ROOT } from './entries';

/** A documentation fault in the public API. */
export interface DocFault {
  /** Path relative to the repository. */
  readonly file: string;
  /** Line, counted from 1. */
  readonly line: number;
  /** Qualified name: `Turn.speaker`. */
  readonly name: string;
  /** End of the sentence that starts with `name`. */
  readonly fault: 'has no doc comment' | 'is part of the public API but not exported';
}

/** Without standard libraries: comments and exports are the same, and the check is 3 s faster. */
const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  allowImportingTsExtensions: true,
  noEmit: true,
  noLib: true,
  types: [],
};

/**
 * Finds exports and members without a doc comment, and types that exports use but that users of the entry cannot import.
 *
 * Comments with only tags count as missing. Class members inherit the comment of the interface member that they implement.
 *
 * @param entries paths relative to the repository
 * @param changed replaced file texts, by path relative to the repository, for tests
 */
export function findDocFaults(entries: readonly string[], changed: ReadonlyMap<string, string> = new Map()): DocFault[] {
  const host = ts.createCompilerHost(OPTIONS);
  const readFile = host.readFile.bind(host);
  host.readFile = (path) => changed.get(relative(ROOT, path)) ?? readFile(path);
  host.getSourceFile = (path, target) => {
    const text = host.readFile(path);
    return text === undefined ? undefined : ts.createSourceFile(path, text, target, true);
  };
  const program = ts.createProgram(entries.map((entry) => join(ROOT, entry)), OPTIONS, host);
  const faults = entries.flatMap((entry) => new Surface(program, join(ROOT, entry)).faults());
  // Report faults of exports shared by two entries only once.
  return [...new Map(faults.map((fault) => [`${fault.file}:${fault.line} ${fault.name} ${fault.fault}`, fault])).values()];
}

/** @throws Error that lists all faults in the entries of the packages */
export function checkDocs(): void {
  const faults = findDocFaults(Object.values(ENTRIES));
  if (faults.length === 0) return;
  const lines = faults.map(({ file, line, name, fault }) => `${file}:${line} ${name} ${fault}`);
  throw new Error(`the public API has ${faults.length} faults:\n${lines.join('\n')}`);
}

/** The exports of one entry. */
class Surface {
  private readonly checker: ts.TypeChecker;
  private readonly exported: ReadonlySet<ts.Symbol>;
  private readonly found: DocFault[] = [];

  constructor(program: ts.Program, entry: string) {
    this.checker = program.getTypeChecker();
    const source = program.getSourceFile(entry);
    const module = source && this.checker.getSymbolAtLocation(source);
    if (!module) throw new Error(`${relative(ROOT, entry)} is missing, or exports nothing`);
    this.exported = new Set(this.checker.getExportsOfModule(module).map((symbol) => this.resolve(symbol)));
  }

  faults(): readonly DocFault[] {
    for (const symbol of this.exported) {
      const own = symbol.declarations?.filter(isOurs) ?? [];
      const [first] = own;
      if (!first) continue;
      if (!this.hasDoc(symbol)) this.report(first, symbol.name, 'has no doc comment');
      for (const declaration of own) this.visit(declaration, symbol.name);
    }
    return this.found;
  }

  /** Visits the public parts of a declaration: neither function bodies nor private members. */
  private visit(node: ts.Node, path: string): void {
    ts.forEachChild(node, (child) => {
      if (ts.isBlock(child) || isHidden(child)) return;
      let inner = path;
      if (isMember(child)) {
        const symbol = this.checker.getSymbolAtLocation(child.name);
        inner = `${path}.${child.name.getText()}`;
        if (symbol && !this.hasDoc(symbol)) this.report(child, inner, 'has no doc comment');
      }
      if (ts.isConstructorDeclaration(child) && ts.getJSDocCommentsAndTags(child).length === 0) {
        this.report(child, `${path}.constructor`, 'has no doc comment');
      }
      if (ts.isTypeReferenceNode(child)) this.checkReference(child, child.typeName);
      if (ts.isTypeQueryNode(child)) this.checkReference(child, child.exprName);
      if (ts.isComputedPropertyName(child) || ts.isExpressionWithTypeArguments(child)) this.checkReference(child, child.expression);
      // Skip initializers: the declaration has their type.
      if (!ts.isExpression(child) || ts.isExpressionWithTypeArguments(child)) this.visit(child, inner);
    });
  }

  private checkReference(node: ts.Node, name: ts.Node): void {
    const found = this.checker.getSymbolAtLocation(name);
    const symbol = found && this.resolve(found);
    if (!symbol || symbol.flags & ts.SymbolFlags.TypeParameter || this.exported.has(symbol)) return;
    if (symbol.declarations?.some(isOurs)) {
      this.report(node, name.getText(), 'is part of the public API but not exported');
    }
  }

  private hasDoc(symbol: ts.Symbol): boolean {
    return ts.displayPartsToString(symbol.getDocumentationComment(this.checker)).trim() !== '';
  }

  private resolve(symbol: ts.Symbol): ts.Symbol {
    return symbol.flags & ts.SymbolFlags.Alias ? this.checker.getAliasedSymbol(symbol) : symbol;
  }

  private report(node: ts.Node, name: string, fault: DocFault['fault']): void {
    const source = node.getSourceFile();
    const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
    this.found.push({ file: relative(ROOT, source.fileName), line, name, fault });
  }
}

type Member =
  | ts.PropertySignature
  | ts.MethodSignature
  | ts.PropertyDeclaration
  | ts.MethodDeclaration
  | ts.AccessorDeclaration;

const isMember = (node: ts.Node): node is Member =>
  ts.isPropertySignature(node) ||
  ts.isMethodSignature(node) ||
  ts.isPropertyDeclaration(node) ||
  ts.isMethodDeclaration(node) ||
  ts.isAccessor(node);

function isHidden(node: ts.Node): boolean {
  const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;
  if (ts.canHaveModifiers(node) && ts.getCombinedModifierFlags(node as ts.Declaration) & hidden) return true;
  return isMember(node) && ts.isPrivateIdentifier(node.name);
}

const isOurs = (declaration: ts.Declaration): boolean => !declaration.getSourceFile().fileName.includes('/node_modules/');

if (pathToFileURL(process.argv[1] ?? '').href === import.meta.url) {
  checkDocs();
  console.log('every export and every member of the public API has a doc comment');
}
