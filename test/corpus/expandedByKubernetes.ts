/** Expands `$$` and `$(NAME)` as Kubernetes does in arguments and variables. References to unknown names are kept. */
export const expandedByKubernetes = (text: string, variables: Readonly<Record<string, string>>): string =>
  text.replace(/\$\$|\$\(([^)]*)\)/g, (match, name?: string) => (name === undefined ? '$' : (variables[name] ?? match)));
