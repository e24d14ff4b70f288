// What the test of a way to a fabric tells of a step that failed.

import { expect, test } from 'vitest';
import { type FailureCode, hintByCode } from '../../machines/fabric/failure.ts';
import { stepLines, testDocument, testFailure } from '../../src/cli/connection-test.ts';

const unpainted = (_colour: unknown, text: string) => text;

function failedStep(code: FailureCode) {
  const failure = { code, message: 'it does not work', hint: hintByCode[code] };
  return { step: 'tcp', ok: false, detail: 'it does not work', failure } as const;
}

test('no failed step of a test is said to be retried automatically', () => {
  for (const code of Object.keys(hintByCode) as FailureCode[]) {
    const step = failedStep(code);
    const tested = { steps: [step], fatal: step };
    const hint = ({ hint }: { hint: string }) => hint;
    const told = [
      ...stepLines(step, hint, unpainted),
      JSON.stringify(testDocument(tested, hint)),
      testFailure('lab', tested, step, hint, 'Nothing was stored').hint,
    ].join('\n');
    expect(told).not.toContain('retried');
  }
});

test('what is worth another try says so', () => {
  const [, hint] = stepLines(failedStep('UNREACHABLE'), ({ hint }) => hint, unpainted);
  expect(hint?.trim()).toBe(
    'The control node may be rebooting; else check address, port 6443 and firewalls. Try again.',
  );
});
