/** What Kubernetes makes of `$$` and `$(NAME)` in arguments and variables. Unknown names stay. */
export const expandedByKubernetes = (text: string, variables: Readonly<Record<string, string>>): string =>
  text.replace(/\$\$|\$\(([^)]*)\)/g, (match, name?: string) => (name === undefined ? '$' : (variables[name] ?? match)));
