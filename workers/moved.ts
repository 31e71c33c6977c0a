import { transfer } from 'comlink';

/** A message whose large arrays move instead of being copied: the sender loses them. */
export function moved<Message>(message: Message, ...arrays: readonly ArrayBufferView[]): Message {
  return transfer(
    message,
    arrays.map((array) => array.buffer as ArrayBuffer),
  );
}
