// Data from a fabric, a file or a server is text to show, never instructions to the terminal.

// C0, C1, DEL, line and paragraph separators, and the bidirectional controls that reorder what is read.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is removed here
const control = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** The text on one line, with everything that would steer a terminal replaced by a visible mark. */
export function plain(text: string): string {
  return text.replace(/\r\n|[\r\n\t]/g, ' ').replace(control, '\ufffd');
}

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
// East Asian wide and fullwidth, and emoji: two columns.
const wide =
  /^(?:[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}])/u;
const ascii = /^[\x20-\x7e]*$/;

/** Columns that plain text takes on a terminal. */
export function displayWidth(text: string): number {
  if (ascii.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segmenter.segment(text)) width += wide.test(segment) ? 2 : 1;
  return width;
}

/** Plain text cut to a width, with `…` where something is missing. */
export function cut(text: string, widthMax: number): string {
  if (displayWidth(text) <= widthMax) return text;
  if (widthMax <= 0) return '';
  let kept = '';
  let width = 0;
  for (const { segment } of segmenter.segment(text)) {
    const next = wide.test(segment) ? 2 : 1;
    if (width + next > widthMax - 1) break;
    kept += segment;
    width += next;
  }
  return `${kept}…`;
}
