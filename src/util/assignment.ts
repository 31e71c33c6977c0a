/**
 * Finds the one-to-one assignment of rows to columns with the maximum total score.
 *
 * Matches `scipy.optimize.linear_sum_assignment(scores, maximize=True)`: the shortest augmenting paths of Crouse, "On
 * implementing 2D rectangular assignment algorithms" (2016), with SciPy's order of columns. Other libraries find the
 * same total but choose other columns in a tie. Every local speaker without an embedding is a tie, so their clusters
 * would differ from pyannote's.
 *
 * @param scores axes (row, column), finite
 * @returns the column of each row; -1 for rows without a column, if there are fewer columns than rows
 */
export function assignRows(scores: Float64Array, numRows: number, numColumns: number): Int32Array {
  if (numColumns >= numRows) return shortestPaths((row, column) => -scores[row * numColumns + column]!, numRows, numColumns);
  const rowOfColumn = shortestPaths((column, row) => -scores[row * numColumns + column]!, numColumns, numRows);
  const columns = new Int32Array(numRows).fill(-1);
  rowOfColumn.forEach((row, column) => (columns[row] = column));
  return columns;
}

/** Dual variables and the assignment so far. */
interface State {
  readonly rowDuals: Float64Array;
  readonly columnDuals: Float64Array;
  readonly columnOfRow: Int32Array;
  readonly rowOfColumn: Int32Array;
}

type Cost = (row: number, column: number) => number;

/** Requires at least as many columns as rows. */
function shortestPaths(cost: Cost, numRows: number, numColumns: number): Int32Array {
  const state: State = {
    rowDuals: new Float64Array(numRows),
    columnDuals: new Float64Array(numColumns),
    columnOfRow: new Int32Array(numRows).fill(-1),
    rowOfColumn: new Int32Array(numColumns).fill(-1),
  };
  for (let row = 0; row < numRows; row++) augment(cost, state, row);
  return state.columnOfRow;
}

/** Assigns a column to `newRow` and moves other rows if that lowers the cost. */
function augment(cost: Cost, state: State, newRow: number): void {
  const { rowDuals, columnDuals, columnOfRow, rowOfColumn } = state;
  const numColumns = rowOfColumn.length;
  // From last to first: for a constant matrix the result is then the identity, as in SciPy.
  const remaining = Array.from({ length: numColumns }, (_, index) => numColumns - index - 1);
  const pathCosts = new Float64Array(numColumns).fill(Infinity);
  const previousRow = new Int32Array(numColumns).fill(-1);
  const visitedRows: number[] = [];
  const visitedColumns: number[] = [];
  let lowest = 0;
  let row = newRow;
  let sink = -1;
  while (sink === -1) {
    visitedRows.push(row);
    const reached = lowest;
    let best = -1;
    lowest = Infinity;
    for (const [index, column] of remaining.entries()) {
      const reduced = reached + cost(row, column) - rowDuals[row]! - columnDuals[column]!;
      if (reduced < pathCosts[column]!) {
        previousRow[column] = row;
        pathCosts[column] = reduced;
      }
      const pathCost = pathCosts[column]!;
      // A free column ends the search, so it wins a tie.
      if (pathCost < lowest || (pathCost === lowest && rowOfColumn[column] === -1)) {
        lowest = pathCost;
        best = index;
      }
    }
    const column = remaining[best]!;
    visitedColumns.push(column);
    if (rowOfColumn[column] === -1) sink = column;
    else row = rowOfColumn[column]!;
    const last = remaining.pop()!;
    if (best < remaining.length) remaining[best] = last;
  }

  for (const visited of visitedRows) {
    rowDuals[visited]! += visited === newRow ? lowest : lowest - pathCosts[columnOfRow[visited]!]!;
  }
  for (const visited of visitedColumns) columnDuals[visited]! -= lowest - pathCosts[visited]!;

  let column = sink;
  for (;;) {
    const owner = previousRow[column]!;
    rowOfColumn[column] = owner;
    const freed = columnOfRow[owner]!;
    columnOfRow[owner] = column;
    if (owner === newRow) return;
    column = freed;
  }
}
