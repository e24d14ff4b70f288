import type { CompletedOption, Place, Values } from './tree.ts';

/** A completion script for fish 3. */
export function fishScript(places: readonly Place[]): string {
  const takers = places.flatMap(({ path, options }) =>
    options.flatMap(({ flags, value }) => (value ? flags.map((flag) => `'${path}:${flag}'`) : [])),
  );
  const steps = places.flatMap(({ path, commands }) =>
    commands.map(({ name }) => `      case '${path}:${name}'\n        set place '${`${path} ${name}`.trim()}'`),
  );
  const lines = places.flatMap((place) => {
    const at = `complete -c fabric-syncd -n '__fabric_syncd_at "${place.path}"'`;
    return [
      ...place.commands.map(({ name, help }) => `${at} -f -a '${name}' -d '${help}'`),
      ...(place.commands.length === 0 ? [`${at} ${offer(place.argument)}`] : []),
      ...place.options.map((option) => `${at} ${optionWords(option)}`),
    ];
  });
  return `# Completion of fabric-syncd for fish. To load it: fabric-syncd completion fish | source

function __fabric_syncd_place
  set -l place ''
  set -l taken 0
  for word in (commandline -opc)[2..-1]
    if test $taken = 1
      set taken 0
      continue
    end
    switch "$place:$word"
${steps.join('\n')}
      case ${takers.join(' ')}
        set taken 1
    end
  end
  echo $place
end

function __fabric_syncd_at
  test (__fabric_syncd_place) = "$argv[1]"
end

${lines.join('\n')}
`;
}

function optionWords({ flags, help, value }: CompletedOption): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l '${flag.slice(2)}'` : `-s '${flag.slice(1)}'`));
  return [...names, value ? `-r ${offer(value)}` : '-f', `-d '${help}'`].join(' ');
}

function offer(values: Values): string {
  switch (values.kind) {
    case 'none':
      return '-f';
    case 'fabrics':
      return "-f -a '(fabric-syncd complete-fabrics 2>/dev/null)'";
    case 'files':
      return '-F';
    case 'words':
      return `-f -a '${values.words.join(' ')}'`;
  }
}
