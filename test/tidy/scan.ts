// TypeScript without its prose: comments and the insides of strings become spaces, so that a pattern finds code only.
//
//   N1. Offsets and line breaks stay: what is found at an offset here stands at the same offset in the file.
//   N2. Quotes stay, their insides do not; the code inside `${…}` stays.

type Mode = { readonly kind: 'code' | 'template'; braces: number };

/** After one of these a `/` begins a regular expression; after anything else it divides. */
const beforeRegex = /(?:^|[(,=:[!&|?{};+\-*%^~<>]|\b(?:return|typeof|case|in|of|delete|void|throw|new|await|yield))$/;

export function codeOf(text: string): string {
  const out: string[] = [];
  const modes: Mode[] = [{ kind: 'code', braces: 0 }];
  let lastCode = '';
  let at = 0;

  const keep = (length = 1) => {
    for (const character of text.slice(at, at + length)) {
      out.push(character);
      if (!/\s/.test(character)) lastCode = (lastCode + character).slice(-12);
      else if (/\w$/.test(lastCode)) lastCode += ' ';
    }
    at += length;
  };
  const blank = (end: number) => {
    out.push(text.slice(at, end).replace(/[^\n]/g, ' '));
    at = end;
  };
  /** The offset of the first unescaped `close` from `from`, or the end. */
  const closing = (from: number, close: string): number => {
    for (let i = from; i < text.length; i++) {
      if (text[i] === '\\') i++;
      else if (text[i] === close || text[i] === '\n') return i;
    }
    return text.length;
  };

  while (at < text.length) {
    const mode = modes.at(-1) ?? { kind: 'code', braces: 0 };
    const two = text.slice(at, at + 2);
    const one = text.charAt(at);
    if (mode.kind === 'template') {
      if (one === '\\') blank(at + 2);
      else if (one === '`') {
        modes.pop();
        keep();
      } else if (two === '${') {
        modes.push({ kind: 'code', braces: 0 });
        keep(2);
      } else blank(at + 1);
    } else if (two === '//') blank(endOr(text.indexOf('\n', at), text));
    else if (two === '/*') blank(endOr(text.indexOf('*/', at), text, 2));
    else if (one === "'" || one === '"') {
      keep();
      blank(closing(at, one));
      if (text[at] === one) keep();
    } else if (one === '`') {
      keep();
      modes.push({ kind: 'template', braces: 0 });
    } else if (one === '/' && beforeRegex.test(lastCode.trimEnd())) {
      keep();
      blank(regexEnd(text, at));
      if (text[at] === '/') keep();
    } else {
      if (one === '{') mode.braces++;
      if (one === '}' && mode.braces-- === 0 && modes.length > 1) modes.pop();
      keep();
    }
  }
  return out.join('');
}

const endOr = (found: number, text: string, more = 0): number => (found < 0 ? text.length : found + more);

/** The offset of the `/` that ends the expression whose inside begins at `from`. */
function regexEnd(text: string, from: number): number {
  let inClass = false;
  for (let i = from; i < text.length; i++) {
    const character = text[i];
    if (character === '\n') return i;
    if (character === '\\') i++;
    else if (character === '[') inClass = true;
    else if (character === ']') inClass = false;
    else if (character === '/' && !inClass) return i;
  }
  return text.length;
}
