import { describe, expect, test } from 'vitest';
import { codeOf } from './scan.ts';

const seen = (text: string) => codeOf(text).replace(/\s+/g, ' ').trim();

describe('code without its prose', () => {
  test.each([
    ['a line comment', 'a; // Date.now()\nb;', 'a; b;'],
    ['a block comment', 'a; /* Date.now() */ b;', 'a; b;'],
    ['a string', `f('Date.now()', "it's");`, `f(' ', " ");`],
    ['an escaped quote', String.raw`f('a\'b');g()`, `f(' ');g()`],
    ['a template', 'f(`Date.now()`)', 'f(` `)'],
    ['an expression with a quote', `f(/['"]/g, x)`, 'f(/ /g, x)'],
    ['a slash in a class', `f(/[/']/); g('x')`, `f(/ /); g(' ')`],
    ['an expression after return', `return /'/.test(x); g()`, 'return / /.test(x); g()'],
    ['a comment mark in a string', `f('http://x'); g()`, `f(' '); g()`],
  ])('%s is blanked', (_, text, expected) => expect(seen(text)).toBe(expected));

  test('code inside a template stays, its nested templates too', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a template as text is what is scanned here
    expect(seen('`a ${f({ x: `b ${Date.now()} c` })} d`; g()')).toBe('` ${f({ x: ` ${Date.now()} ` })} `; g()');
  });

  test('a division is not an expression', () => {
    expect(seen(`a / b; f('x') / 2; c[0] / d; 'q'`)).toBe(`a / b; f(' ') / 2; c[0] / d; ' '`);
  });

  test('offsets and lines stay', () => {
    const text = `// one\nconst a = 'two\\n'; /* three\nfour */ b(\`five\nsix\`);\n`;
    expect(codeOf(text)).toHaveLength(text.length);
    expect(codeOf(text).split('\n')).toHaveLength(text.split('\n').length);
    expect(codeOf(text).indexOf('b(')).toBe(text.indexOf('b('));
  });
});
