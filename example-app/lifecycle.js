// How a server process starts, says what is wrong, and ends.

const LAST_REQUESTS = 5_000;

/** Runs what starts the process; where that fails, says why in one line and ends. */
export async function begin(start) {
  try {
    await start();
  } catch (error) {
    console.error(`Not started: ${error.message}`);
    process.exit(1);
  }
}

/** Listens on the loopback interface; answers the port, which the system chooses where it is 0. */
export function listen(server, port) {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      const isTaken = error.code === "EADDRINUSE";
      reject(isTaken ? new Error(`port ${port} is taken, choose another with PORT=3001`) : error);
    });
    server.listen(port, "127.0.0.1", () => resolve(server.address().port));
  });
}

/** Takes no more requests, and waits for those under way; in the end no longer. */
export function closed(server) {
  setTimeout(() => server.closeAllConnections(), LAST_REQUESTS).unref();
  return new Promise((resolve) => server.close(resolve));
}

/** Closes at SIGTERM, Ctrl-C, or when the process that started this one is gone. With nothing open the process ends by itself. */
export function onEnd(close) {
  let isEnding = false;
  const end = async () => {
    if (isEnding) return;
    isEnding = true;
    if (process.connected) process.disconnect();
    await close();
  };
  for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, end);
  if (process.connected) process.once("disconnect", end);
}
