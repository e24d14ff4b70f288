import { caseLines, type Place, type Values } from './tree.ts';

/** A completion script for bash 4 and newer; needs no other package. */
export function bashScript(places: readonly Place[]): string {
  const { steps, takers, valued } = caseLines(places, 'path');
  const values = valued.map(({ pattern, value }) => `      ${pattern}) ${offer(value)} ;;`);
  const rests = places.map(({ path, commands, options, argument }) => {
    const flags = options.flatMap((option) => option.flags).join(' ');
    const words = commands.map(({ name }) => name).join(' ');
    const plain = words === '' ? offer(argument) : `_fabric_syncd_words '${words}'`;
    return `    '${path}') if [[ $cur == -* ]]; then _fabric_syncd_words '${flags}'; else ${plain}; fi ;;`;
  });
  return `# Completion of fabric-syncd for bash. To load it: source <(fabric-syncd completion bash)

_fabric_syncd_words() {
  local word
  for word in $1; do
    if [[ $word == "$cur"* ]]; then COMPREPLY+=("$word"); fi
  done
}

_fabric_syncd_fabrics() {
  local name
  while IFS= read -r name; do
    if [[ $name == "$cur"* ]]; then COMPREPLY+=("$(printf %q "$name")"); fi
  done < <("\${COMP_WORDS[0]}" complete-fabrics 2>/dev/null)
}

_fabric_syncd_files() {
  compopt -o filenames 2>/dev/null
  local name
  while IFS= read -r name; do COMPREPLY+=("$name"); done < <(compgen -f -- "$cur")
}

_fabric_syncd() {
  local cur=\${COMP_WORDS[COMP_CWORD]} taker='' path='' word i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ -n $taker ]]; then taker=''; continue; fi
    case "$path:$word" in
${steps.join('\n')}
      ${takers}) taker=$word ;;
    esac
  done
  if [[ -n $taker ]]; then
    case "$path:$taker" in
${values.join('\n')}
    esac
    return
  fi
  case "$path" in
${rests.join('\n')}
  esac
}

complete -F _fabric_syncd fabric-syncd
`;
}

function offer(values: Values): string {
  switch (values.kind) {
    case 'none':
      return ':';
    case 'fabrics':
      return '_fabric_syncd_fabrics';
    case 'files':
      return '_fabric_syncd_files';
    case 'words':
      return `_fabric_syncd_words '${values.words.join(' ')}'`;
  }
}
