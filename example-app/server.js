// Starts the example application: `npm run example`, then open the address it prints.
import { createApp } from "./app.js";

const port = Number(process.env.PORT || 3000);
const origin = `http://localhost:${port}`;

createApp({ origin }).listen(port, "127.0.0.1", (error) => {
  if (error === undefined) {
    console.log(origin);
    return;
  }
  const reason = error.code === "EADDRINUSE" ? `port ${port} is taken, choose another with PORT=3001` : error.message;
  console.error(`Not started: ${reason}`);
  process.exitCode = 1;
});
