const isModelFile = ({ name }: File): boolean => /\.onnx$/i.test(name);

/** What was dropped or chosen, told apart by name: models, and what is meant as a recording. */
export function sortFiles(files: Iterable<File>): { readonly models: readonly File[]; readonly recordings: readonly File[] } {
  const all = [...files];
  return { models: all.filter(isModelFile), recordings: all.filter((file) => !isModelFile(file)) };
}
