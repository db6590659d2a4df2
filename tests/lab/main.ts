// The lab as a program: node tests/lab/main.ts [--port 8791] [--h2-port 8792]

import { parseArgs } from "node:util";
import { startLab } from "./lab.ts";

const FLAGS = { port: { type: "string", default: "8791" }, "h2-port": { type: "string", default: "8792" } } as const;

function port(flag: keyof typeof FLAGS, value: string): number {
  const number = Number(value);
  if (value === "" || !Number.isInteger(number) || number < 0 || number > 65_535) fail(`--${flag} must be a port number`);
  return number;
}

function fail(message: string): never {
  console.error(`lab: ${message}`);
  process.exit(1);
}

function readFlags(): { port: number; h2Port: number } {
  try {
    const { values } = parseArgs({ options: FLAGS });
    return { port: port("port", values.port), h2Port: port("h2-port", values["h2-port"]) };
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error));
  }
}

const options = readFlags();
const lab = await startLab(options).catch((error: NodeJS.ErrnoException & { port?: number }) => {
  if (error.code !== "EADDRINUSE" && error.code !== "EACCES") throw error;
  const flag = error.port === options.port ? "--port" : "--h2-port";
  return fail(`port ${error.port} is ${error.code === "EACCES" ? "not allowed" : "busy"}; choose another one with ${flag}`);
});

async function stop(): Promise<void> {
  await lab.close();
  process.exit(0);
}
process.once("SIGTERM", stop);
process.once("SIGINT", stop);
console.log(`lab ready: ${lab.url} ${lab.h2Url}`);
