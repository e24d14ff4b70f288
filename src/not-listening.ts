/** A server of this daemon cannot listen where it was told to. The message says where, why, and what to change. */
export class NotListening extends Error {
  override readonly name = 'NotListening';
}
