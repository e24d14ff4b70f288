// Keys from a terminal, as they are pressed.
//
//   K1. The terminal is raw while somebody listens, and as it was afterwards.
//   K2. In raw mode Ctrl-C is a key like any other: it is told as `quit`.

import { emitKeypressEvents } from 'node:readline';

export interface Key {
  /** `up`, `return`, `escape`, `q` …; a printed character where it has no name. */
  readonly name: string;
  /** What it would print; empty where that is nothing. */
  readonly text: string;
}

interface Terminal extends NodeJS.ReadableStream {
  setRawMode?(raw: boolean): unknown;
}

interface Pressed {
  readonly name?: string | undefined;
  readonly ctrl?: boolean | undefined;
  readonly meta?: boolean | undefined;
}

/** @returns "stop listening", which gives the terminal back */
export function listenToKeys(terminal: Terminal, press: (key: Key) => void): () => void {
  const hear = (text: string | undefined, { name, ctrl, meta }: Pressed) => {
    if (ctrl) {
      if (name === 'c' || name === 'd') press({ name: 'quit', text: '' });
      return;
    }
    const printed = !meta && text !== undefined && text >= ' ' && text !== '\u007f' ? text : '';
    press({ name: name ?? printed, text: printed });
  };
  emitKeypressEvents(terminal);
  terminal.setRawMode?.(true);
  terminal.on('keypress', hear);
  terminal.resume();
  return () => {
    terminal.off('keypress', hear);
    terminal.setRawMode?.(false);
    terminal.pause();
  };
}
