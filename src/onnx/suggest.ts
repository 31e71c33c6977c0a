/**
 * Those of `candidates` that are most like `name`, the most like first: what somebody may have meant who wrote it.
 */
export function closest(name: string, candidates: Iterable<string>, count = 3): string[] {
  const wanted = name.toLowerCase();
  return [...candidates]
    .map((candidate) => ({ candidate, distance: distanceBetween(wanted, candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, count)
    .map(({ candidate }) => candidate);
}

/** Letters to insert, delete or replace; within a longer name, such as a path, its part that fits counts for more. */
function distanceBetween(wanted: string, candidate: string): number {
  const holds = wanted !== '' && (candidate.includes(wanted) || wanted.includes(candidate));
  return holds ? Math.abs(candidate.length - wanted.length) / (candidate.length + wanted.length) : edits(wanted, candidate);
}

/** Levenshtein's distance, row by row. */
function edits(from: string, to: string): number {
  let above = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const replaced = above[column - 1]! + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, above[column]! + 1, current[column - 1]! + 1));
    }
    above = current;
  }
  return above[to.length]!;
}
