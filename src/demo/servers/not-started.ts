/** Something of the demo or the tests can not be started here: one sentence that says why and what to do about it. */
export class NotStarted extends Error {
  override readonly name = 'NotStarted';
}
