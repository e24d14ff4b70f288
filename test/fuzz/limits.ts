// What one input may cost. An input is at most 64 KiB: what takes longer or more than this for so little would let whoever
// sends it stop a daemon.

/** Of an input, in bytes. */
export const inputBytesMax = 64 * 1024;

/** Of the thread that reads it, so that a busy machine tells no lies; what takes more is given once more before it is told. */
export const cpuMsMax = 3_000;

/** What takes this much and has not ended is stopped, in milliseconds: more than any that is only slow. */
export const hangCpuMs = 9_000;

/** Nothing is computed, and no answer comes: above every deadline of the readers themselves. */
export const silentMs = 20_000;

/** Of the thread's heap, in MiB; V8 stops what needs more. */
export const heapMiBMax = 256;

/** Of memory beside the heap (buffers) while one input is read, in MiB. */
export const besideMiBMax = 256;

/** What is still held after a collection, beyond what the first inputs left, in MiB. */
export const retainedMiBMax = 48;
