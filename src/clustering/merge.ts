/**
 * One merge of a dendrogram: the clusters `left` < `right` become cluster `numPoints + row`.
 * Clusters below `numPoints` are the points themselves. As a row of `scipy.cluster.hierarchy.linkage`.
 */
export interface Merge {
  readonly left: number;
  readonly right: number;
  readonly distance: number;
  /** Points in the new cluster. */
  readonly size: number;
}
