// What the program's exit status means, as one table: the code, `--help` and the README are made from it.

export const exitCodes = {
  done: { code: 0, meaning: 'done' },
  failed: { code: 1, meaning: 'failed, or something was found to be wrong' },
  usage: { code: 2, meaning: 'the command line is wrong; nothing was done' },
  not_found: { code: 3, meaning: 'there is no such fabric, run or object' },
  refused: { code: 4, meaning: 'refused: not allowed in this state, not confirmed, or it exists already' },
  some_failed: { code: 5, meaning: 'some fabrics failed, others did not' },
  database_unavailable: { code: 6, meaning: 'Postgres does not answer' },
  schema_newer: { code: 7, meaning: 'the database was migrated by a newer fabric-syncd' },
  settings: { code: 8, meaning: 'the environment or a credential file is wrong; see check-config' },
  timed_out: { code: 9, meaning: 'the deadline of this command passed; what it asked for may still happen' },
  interrupted: { code: 130, meaning: 'stopped by a signal' },
} as const satisfies Record<string, { code: number; meaning: string }>;

export type Exit = keyof typeof exitCodes;
