// How long who looks on is kept waiting for what Postgres has. Every client waits longer than that (the terminal 5 s, the
// page 20 s): so a server that hangs is shown as the part that is missing, and not taken for a daemon that is gone.

/** For one read, or one act of a person. */
export const answerMs = 3_000;
/** For a document about one fabric, of however many reads it is made: what was not told by then is left out. */
export const documentMs = 4_000;
