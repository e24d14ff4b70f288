import type { Paint } from '../colours.ts';

/** What a drawing needs of the terminal and of the time. */
export interface Screen {
  readonly width: number;
  readonly height: number;
  readonly paint: Paint;
  /** The daemon's time, epoch milliseconds. */
  readonly nowMs: number;
  /** This host's time, epoch milliseconds. */
  readonly ourMs: number;
}
