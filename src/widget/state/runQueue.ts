/**
 * Which widget's run is under way, and which ones wait: widgets with the same options have one engine, whose runs take
 * turns, and a person who sees nothing move wants to know why.
 */
const queues = new Map<string, QueueEntry[]>();

/** A run's place. */
export interface QueueEntry {
  /** Whether no other run is before this one. */
  readonly isFirst: () => boolean;
  /** Gives the place up; may be called again. */
  readonly leave: () => void;
}

/**
 * @param key the same for runs that wait for each other
 * @param onChange is called when a run before this one has ended
 */
export function enterQueue(key: string, onChange: () => void): QueueEntry {
  const queue = queues.get(key) ?? [];
  queues.set(key, queue);
  const listeners = listenersOf(queue);
  const entry: QueueEntry = {
    isFirst: () => queue[0] === entry,
    leave() {
      const index = queue.indexOf(entry);
      if (index < 0) return;
      queue.splice(index, 1);
      listeners.delete(entry);
      if (queue.length === 0) queues.delete(key);
      for (const listener of [...listeners.values()]) listener();
    },
  };
  queue.push(entry);
  listeners.set(entry, onChange);
  return entry;
}

const listenersByQueue = new WeakMap<QueueEntry[], Map<QueueEntry, () => void>>();

function listenersOf(queue: QueueEntry[]): Map<QueueEntry, () => void> {
  const listeners = listenersByQueue.get(queue) ?? new Map<QueueEntry, () => void>();
  listenersByQueue.set(queue, listeners);
  return listeners;
}
