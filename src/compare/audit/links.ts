import type { AuditEntry } from '../auditReport';
import type { Relation } from './values';

/** A tensor of a graph and a tensor of a checkpoint that are one weight, or parts of one. */
export interface Link {
  /** Place among the graph's tensors. */
  readonly graph: number;
  /** Place among the checkpoint's tensors. */
  readonly checkpoint: number;
  readonly how: NonNullable<AuditEntry['match']>['how'];
  readonly relation: Relation;
  /** Which part of the graph's tensor it is, for people; null for all of it. */
  readonly part: string | null;
  /** What there is to know about the order of the part's rows; the end of a sentence. Null where nothing is. */
  readonly note: string | null;
  /** What is wrong though the values are there; a sentence without an end about the part. */
  readonly warning: string | null;
}

/** Links as they are found: a tensor that has one on its side is left alone by what looks for more. */
export class Links {
  readonly all: Link[] = [];
  readonly #graph = new Set<number>();
  readonly #checkpoint = new Set<number>();

  add(...links: readonly Link[]): void {
    for (const link of links) {
      this.all.push(link);
      this.#graph.add(link.graph);
      this.#checkpoint.add(link.checkpoint);
    }
  }

  hasGraph(index: number): boolean {
    return this.#graph.has(index);
  }

  hasCheckpoint(index: number): boolean {
    return this.#checkpoint.has(index);
  }
}
