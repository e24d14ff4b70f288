import { caseLines, type Place, type Values } from './tree.ts';

/** A completion script for zsh 5: to be sourced after `compinit`, or put into a folder of `$fpath` as `_fabric-syncd`. */
export function zshScript(places: readonly Place[]): string {
  const { steps, takers, valued } = caseLines(places, 'place');
  const values = valued.map(({ pattern, value }) => `      ${pattern}) ${offer(value)} ;;`);
  const rests = places.map(({ path, commands, options, argument }) => {
    const offered = options.flatMap(({ flags, help }) => flags.map((flag) => `'${flag}:${help}'`));
    const words = commands.map(({ name, help }) => `'${name}:${help}'`);
    return `    '${path}')
      offered=(${offered.join(' ')})
      if [[ $PREFIX == -* ]]; then _describe -o option offered
      else ${words.length === 0 ? offer(argument) : `offered=(${words.join(' ')}); _describe command offered`}
      fi ;;`;
  });
  return `#compdef fabric-syncd
# Completion of fabric-syncd for zsh. To load it: source <(fabric-syncd completion zsh)

_fabric_syncd_fabrics() {
  local -a names
  names=("\${(@f)$($words[1] complete-fabrics 2>/dev/null)}")
  [[ -n $names[1] ]] && compadd -a names
}

_fabric-syncd() {
  local taker='' place='' word
  local -a offered
  integer i
  for ((i = 2; i < CURRENT; i++)); do
    word=$words[i]
    if [[ -n $taker ]]; then taker=''; continue; fi
    case "$place:$word" in
${steps.join('\n')}
      ${takers}) taker=$word ;;
    esac
  done
  if [[ -n $taker ]]; then
    case "$place:$taker" in
${values.join('\n')}
    esac
    return
  fi
  case "$place" in
${rests.join('\n')}
  esac
}

if [[ $funcstack[1] == _fabric-syncd ]]; then _fabric-syncd "$@"; else compdef _fabric-syncd fabric-syncd; fi
`;
}

function offer(values: Values): string {
  switch (values.kind) {
    case 'none':
      return '_message value';
    case 'fabrics':
      return '_fabric_syncd_fabrics';
    case 'files':
      return '_files';
    case 'words':
      return `compadd -- ${values.words.join(' ')}`;
  }
}
