// A browser shows one passkey dialog at a time: whoever asks next takes the place of whoever waits.

interface Pending {
  readonly controller: AbortController;
  /** Resolves when the browser has let go of it; never rejects. */
  readonly ended: Promise<unknown>;
}

let pending: Pending | undefined;

/** Runs one ceremony; the one before it is aborted, and has ended, when it starts. */
export async function alone<T>(
  outer: AbortSignal | undefined,
  run: (controller: AbortController) => Promise<T>,
): Promise<T> {
  const former = pending;
  const controller = new AbortController();
  const abort = (): void => {
    controller.abort(outer?.reason);
  };
  if (outer?.aborted === true) abort();
  else outer?.addEventListener("abort", abort, { once: true });
  former?.controller.abort();
  const running = (async () => {
    await former?.ended;
    controller.signal.throwIfAborted();
    return run(controller);
  })();
  const mine: Pending = { controller, ended: running.catch(() => undefined) };
  pending = mine;
  try {
    return await running;
  } finally {
    outer?.removeEventListener("abort", abort);
    if (pending === mine) pending = undefined;
  }
}
