// What may be called where. Each pattern sees code only (comments and the insides of strings are blank), unless it says
// that prose is what it is about.

import { codeOf } from './scan.ts';
import { type Fault, isCode, isProduct, lineAt, type Rule, type TreeFile, within } from './tree.ts';

interface Ban {
  readonly pattern: RegExp;
  /** Where it is allowed. */
  readonly only?: readonly string[];
  /** What to do instead. */
  readonly use: string;
  /** Applies to the tests as well. */
  readonly everywhere?: true;
  /** Comments are searched too. */
  readonly prose?: true;
}

/** Processes of their own: they read the environment and end themselves. */
const entries = ['src/main.ts'];

/** A word that must not stand in this file either. */
const word = (...parts: readonly string[]) => parts.join('');

const bans: readonly Ban[] = [
  {
    pattern: /\bDate\.now\(|\bnew Date\(\s*\)|(?<![.\w])Date\(\)|\bperformance\.now\(|\bprocess\.hrtime\b/,
    only: ['src/clock.ts'],
    use: 'take a Clock (src/clock.ts)',
  },
  {
    pattern: /(?<![\w.])set(?:Timeout|Interval)\s*\(/,
    // At the border to a server a deadline bounds a real socket, which no test clock could turn.
    only: [
      'src/clock.ts',
      'src/main.ts',
      'src/redis',
      'src/postgres',
      'src/kube',
      'src/demo',
      // The border to a collector; `otel` knows nothing of `src`.
      'otel/log-start.ts',
      'otel/span-queue.ts',
      'otel/trace-start.ts',
    ],
    use: 'take a Clock (src/clock.ts): its sleep and after can be turned by a test',
  },
  { pattern: /\bMath\.random\b/, only: ['src/dice.ts'], use: 'take a Dice (src/dice.ts)' },
  {
    pattern: /\bprocess\.env\b/,
    only: entries,
    use: 'take the setting from Config, or the environment as an argument',
  },
  {
    pattern: /\bprocess\.exit(?:Code)?\b/,
    only: entries,
    use: 'return, or throw: only an entry point ends the process',
  },
  {
    pattern: /\bprocess\.(?:argv|std(?:in|out|err))\b/,
    only: entries,
    use: 'take the arguments and the streams as arguments',
  },
  {
    // postgres.js 3.4.9 writes to a socket that is null when the connection goes in the middle of it.
    pattern: /\bsql\.(?:begin|reserve)\b/,
    use: 'Database.transact: the driver’s own takes the process down when its connection goes',
  },
  { pattern: /\bconsole\./, everywhere: true, use: 'write to an injected stream, or log' },
  { pattern: /\bas any\b|[:<,|&]\s*any\b(?!\w)/, everywhere: true, use: 'name the type, or unknown' },
  {
    pattern: new RegExp(`@ts-(?:${word('ig', 'nore')}|${word('no', 'check')})`),
    everywhere: true,
    prose: true,
    use: 'mend the type, or @ts-expect-error with its reason',
  },
  {
    pattern: new RegExp(
      `\\b(?:${[word('TO', 'DO'), word('FIX', 'ME'), word('XX', 'X'), word('HA', 'CK')].join('|')})\\b`,
    ),
    everywhere: true,
    prose: true,
    use: 'do it, or leave it',
  },
  {
    pattern: /\b(?:test|it|describe|suite)(?:\.\w+)*\.only\b/,
    everywhere: true,
    use: 'run one file by its name instead',
  },
  {
    pattern: /\bawait\s+(?:\w+\.)*(?:sleep|delay|wait|setTimeout)\(\s*[\d_]{3,}/,
    everywhere: true,
    use: 'wait for a fact, not for a time',
  },
];

const searched = (file: TreeFile, ban: Ban): boolean =>
  ban.everywhere ? isCode(file) : isProduct(file) && !within(file.path, ban.only ?? []);

export const bannedCalls: Rule = (files) =>
  files.filter(isCode).flatMap((file) => {
    const code = codeOf(file.text);
    return bans
      .filter((ban) => searched(file, ban))
      .flatMap((ban) =>
        [...(ban.prose ? file.text : code).matchAll(new RegExp(ban.pattern, 'g'))].map((match) => ({
          file: file.path,
          line: lineAt(file.text, match.index),
          says: `${match[0].trim()}: ${ban.use}`,
        })),
      );
  });

/** The environment also hides behind a named import. */
export const noNamedProcess: Rule = (files) =>
  files
    .filter((file) => isProduct(file) && !within(file.path, entries))
    .flatMap((file): Fault[] =>
      [...file.text.matchAll(/^import .*'(?:node:)?process';/gm)].map((match) => ({
        file: file.path,
        line: lineAt(file.text, match.index),
        says: 'the process belongs to the entry points: take what is needed as an argument',
      })),
    );

/** `new URL('./child.ts', …)` is not rewritten when it is compiled, so an installed package would look for a file it has not. */
export const noSourceNames: Rule = (files) =>
  files.filter(isProduct).flatMap((file): Fault[] => {
    const code = codeOf(file.text);
    return [...file.text.matchAll(/(?:new URL|resolve)\(\s*(['"`])(?:[^'"`\n]*)\.ts\1/g)]
      .filter((match) => /\S/.test(code.slice(match.index, match.index + 3)))
      .map((match) => ({
        file: file.path,
        line: lineAt(file.text, match.index),
        says: 'a source file named at run time is .js once compiled: take the ending from import.meta.url',
      }));
  });
