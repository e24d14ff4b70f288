/** Something of the demo or the tests cannot be started here: one sentence that says why and what to do about it. */
export class NotStarted extends Error {
  override readonly name = 'NotStarted';
}
