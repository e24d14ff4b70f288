// The entry of a process that runs simulated fabrics for its parent. It ends when the parent says so, and when the parent
// is gone: nothing is left running.

import { systemClock } from '../../clock.ts';
import { systemDice } from '../../dice.ts';
import { FabricHost } from './host.ts';
import type { AnswerMessage, QuestionMessage } from './protocol.ts';

const host = new FabricHost({
  clock: systemClock,
  dice: systemDice,
  usage() {
    const { user, system } = process.cpuUsage();
    return { cpuMs: (user + system) / 1000, rssBytes: process.memoryUsage.rss() };
  },
});

function say(message: AnswerMessage): void {
  if (process.connected) process.send?.(message);
}

async function hear({ id, name, ask }: QuestionMessage): Promise<void> {
  try {
    say({ id, answer: await host.answer(name, ask as never) });
  } catch (cause) {
    say({ id, failure: cause instanceof Error ? cause.message : String(cause) });
  }
}

process.on('message', (question: QuestionMessage) => {
  void hear(question);
});
// Ctrl-C in a terminal reaches every process of the group: the parent decides when the fabrics end.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {
  if (process.connected) process.disconnect();
});
process.on('disconnect', () => {
  void host.stop();
});
say({ ready: true });
