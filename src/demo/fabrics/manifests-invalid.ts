/** Given manifests cannot be served; every problem is told, with its file and document. */
export class ManifestsInvalid extends Error {
  override readonly name = 'ManifestsInvalid';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`the manifests have ${problems.length} problem(s):\n${problems.map((line) => `  - ${line}`).join('\n')}`);
    this.problems = problems;
  }
}
