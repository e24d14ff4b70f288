// What `trigger` says: progress on the way, and how each request was answered.

import type { Tiding } from '../admin/tidings.ts';
import { shellWord } from '../inspector/hints.ts';
import { runView } from '../inspector/view.ts';
import type { Answer } from './await-requests.ts';
import type { Paint } from './colours.ts';
import { changesText } from './counts-text.ts';
import type { Exit } from './exit-codes.ts';
import { plain } from './plain-text.ts';
import { outcomeCell } from './run-text.ts';
import { span } from './span.ts';

/** A line for a kind that was read; null for news that are no progress. */
export function progressLine(tiding: Tiding): string | null {
  if (tiding.type !== 'progress' || !tiding.done) return null;
  return plain(`${tiding.fabric}: ${tiding.listed} ${tiding.kind}`);
}

/** The result of a request: one line, and what to do where it did not succeed. */
export function answerLines(answer: Answer, paint: Paint): string[] {
  const { name } = answer.request;
  switch (answer.kind) {
    case 'ran': {
      const run = runView(answer.run, name);
      const outcome = outcomeCell(run.outcome);
      const said =
        typeof outcome === 'object' && outcome !== null ? paint(outcome.colour, outcome.text) : String(outcome);
      const counts = `${changesText(run)}, ${run.unchanged} unchanged`;
      const took = run.duration_ms === null ? '' : ` in ${span(run.duration_ms)}`;
      return [
        `${plain(name)}: ${said}${run.outcome === 'failed' ? '' : `: ${counts}`}${took}`,
        ...(run.error === '' ? [] : [`  ${plain(run.error)}`]),
        ...(run.hint === '' ? [] : [`  ${plain(run.hint)}`]),
        ...(run.outcome === 'awaiting_approval'
          ? [`  Look at it and approve it: fabric-syncd approve ${shellWord(name)}.`]
          : []),
        ...(run.outcome === 'partial' ? [`  See what is missing: fabric-syncd status ${shellWord(name)}.`] : []),
      ];
    }
    case 'refused':
      return [`${plain(name)}: ${paint('red', 'refused')}: ${plain(answer.refusal)}`];
    case 'gone':
      return [`${plain(name)}: the fabric was removed`];
    case 'unanswered':
      return [
        `${plain(name)}: ${paint('yellow', answer.running ? 'still running' : 'not taken up')} when the time was over; it may still be synced`,
        `  See how it goes: fabric-syncd status ${shellWord(name)}.`,
      ];
  }
}

export function answerDocument(answer: Answer): object {
  const { request } = answer;
  return {
    fabric: request.name,
    id: request.fabricId,
    request: request.requestId,
    answer: answer.kind,
    outcome: answer.kind === 'ran' ? answer.run.outcome : null,
    run: answer.kind === 'ran' ? runView(answer.run, request.name) : null,
    refusal: answer.kind === 'refused' ? answer.refusal : '',
  };
}

/** Complete is done; everything else is not, and the worst is not hidden by the rest. */
export function exitOf(answers: readonly Answer[]): Exit {
  const complete = answers.filter((answer) => answer.kind === 'ran' && answer.run.outcome === 'complete').length;
  if (complete === answers.length) return 'done';
  const others = answers.filter((answer) => answer.kind !== 'ran' || answer.run.outcome !== 'complete');
  if (others.every((answer) => answer.kind === 'unanswered')) return 'timed_out';
  if (others.length === answers.length && answers.every((answer) => answer.kind === 'refused')) return 'refused';
  return complete > 0 ? 'some_failed' : 'failed';
}
