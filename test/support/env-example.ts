// `.env.example`, made from the table of settings: `npm run readme` writes it, a test compares it.

import { type Setting, settings } from '../../src/settings.ts';

const groups: readonly [string, readonly Setting[]][] = [
  ['Servers', [settings.databaseUrl, settings.redisUrl, settings.lockRedisUrls, settings.redisPrefix]],
  ['All else has a default that fits most', []],
];

/** What stands there in place of a secret that has no default. */
const samples = new Map([[settings.databaseUrl, 'postgres://fabric_syncd@127.0.0.1:5432/fabric_syncd']]);

export function envExample(): string {
  const grouped = groups.flatMap(([, members]) => members);
  const rest = Object.values(settings).filter((setting) => !grouped.includes(setting));
  const sections = groups.map(([title, members]) => [title, members.length > 0 ? members : rest] as const);
  const lines = [
    '# fabric-syncd: every setting with its default. Copy it, and take the # off what you change.',
    '# Times: 250ms, 30s, 5m, 1h, 30d. Sizes: 512KiB, 64MiB. Check it with: fabric-syncd check-config',
  ];
  for (const [title, members] of sections) {
    lines.push('', `# --- ${title} ---`);
    for (const setting of members) {
      const sample = samples.get(setting);
      const credential = setting.credential ? ` Or the systemd credential \`${setting.credential}\`.` : '';
      lines.push('', `# ${setting.description}${credential}`);
      lines.push(sample === undefined ? `#${setting.name}=${setting.fallback}` : `${setting.name}=${sample}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** The variables of such a file; with `commented`, also those that have a # before them. */
export function readEnvFile(text: string, { commented }: { readonly commented: boolean }): Record<string, string> {
  const assignment = commented ? /^#?([A-Z_]+)=(.*)$/ : /^([A-Z_]+)=(.*)$/;
  return Object.fromEntries(
    text.split('\n').flatMap((line) => {
      const [, name, value] = assignment.exec(line) ?? [];
      return name === undefined || value === undefined ? [] : [[name, value]];
    }),
  );
}
