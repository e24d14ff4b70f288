import { oneLine } from '../../../machines/fabric/failure.ts';

/** What was given may stand in a problem, however long it is. */
const problemLengthMax = 1_000;

/** Given manifests cannot be served; every problem is told, with its file and document. */
export class ManifestsInvalid extends Error {
  override readonly name = 'ManifestsInvalid';
  readonly problems: readonly string[];

  constructor(found: readonly string[]) {
    const problems = found.map((problem) => oneLine(problem, problemLengthMax));
    super(`the manifests have ${problems.length} problem(s):\n${problems.map((line) => `  - ${line}`).join('\n')}`);
    this.problems = problems;
  }
}
