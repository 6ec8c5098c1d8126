// Stands for an editor where namespaces are refused: runs what it is told in a sandbox and says what came of it, for
// sandbox-alone.test.ts.
//
//   node alone.js REQUEST      JSON, see Request

import { text } from "node:stream/consumers";
import { LIBRARY } from "../../support/library";

const api: typeof import("../../../src/api") = require(LIBRARY);

export interface Request {
  readonly script: string;
  readonly profile: Parameters<typeof api.sandbox.run>[1];
  readonly context: { workspace: string; home: string };
  readonly terminal?: boolean;
  /** What is done once the output says "ready". */
  readonly action?: "kill" | "terminate" | "exec" | "freeze" | "type" | "resize";
  /** With "exec": what is run beside. With "type": what is typed. */
  readonly input?: string;
}

export interface Answer {
  readonly isolation?: string;
  readonly output: string;
  /** Of the command that "exec" has run. */
  readonly beside?: string;
  readonly code?: number | null;
  readonly signal?: string | null;
  readonly reason?: string;
  readonly denials: readonly { what: string; rule: string; allow?: unknown }[];
  readonly processes?: number;
  readonly error?: { name: string; message: string; remedy?: string; feature?: string };
}

async function act(
  sandbox: Awaited<ReturnType<typeof api.sandbox.run>>,
  { action, input = "" }: Request,
): Promise<Partial<Answer>> {
  switch (action) {
    case "kill":
      sandbox.kill("SIGKILL");
      return {};
    case "terminate":
      await sandbox.terminate(300);
      return {};
    case "type":
      sandbox.process.terminal?.write(input);
      return {};
    case "resize":
      sandbox.process.terminal?.resize(123, 45);
      sandbox.process.terminal?.write("\n");
      return {};
    case "exec": {
      const beside = await sandbox.exec({ file: "bash", args: ["-c", input] });
      const [output, , stats] = await Promise.all([
        beside.stdout === null ? "" : text(beside.stdout),
        beside.exited,
        sandbox.stats(),
      ]);
      sandbox.kill("SIGKILL");
      return { beside: output, processes: stats.processes };
    }
    case "freeze": {
      await sandbox.freeze();
      const { processes } = await sandbox.stats();
      sandbox.kill("SIGKILL");
      return { processes };
    }
    default:
      process.stdout.write("ready\n");
      return {};
  }
}

async function run(request: Request): Promise<Answer> {
  const { script, profile, context, terminal } = request;
  const size = terminal === true ? { terminal: { columns: 80, rows: 24 } } : {};
  const sandbox = await api.sandbox.run({ file: "bash", args: ["-c", script], ...size }, profile, context);
  const streams =
    terminal === true ? [sandbox.process.terminal?.output] : [sandbox.process.stdout, sandbox.process.stderr];
  let output = "";
  let more: Promise<Partial<Answer>> = Promise.resolve({});
  let isReady = false;
  const closed = streams.map(
    (stream) =>
      new Promise<void>((resolve) => {
        if (!stream) return resolve();
        stream.setEncoding("utf8").on("data", (chunk: string) => {
          output += chunk;
          if (!isReady && output.includes("ready")) {
            isReady = true;
            more = act(sandbox, request);
          }
        });
        stream.once("close", () => resolve());
      }),
  );
  sandbox.process.stdin?.end();
  const ended = await sandbox.ended;
  await Promise.all(closed);
  await sandbox.observe(output); // as the terminal does
  const { status, denials } = ended;
  const { code, signal, reason } = status;
  return {
    isolation: sandbox.isolation,
    output,
    code,
    signal,
    ...(reason === undefined ? {} : { reason }),
    denials: denials.map(({ what, rule, allow }) => ({ what, rule, ...(allow === undefined ? {} : { allow }) })),
    ...(await more),
  };
}

function failure(error: unknown): Answer {
  const { name, message, remedy, feature } = error as Error & { remedy?: string; feature?: string };
  return {
    output: "",
    denials: [],
    error: {
      name,
      message,
      ...(remedy === undefined ? {} : { remedy }),
      ...(feature === undefined ? {} : { feature }),
    },
  };
}

if (require.main === module) {
  void run(JSON.parse(process.argv[2] ?? "{}") as Request)
    .catch(failure)
    .then((answer) => process.stdout.write(`${JSON.stringify(answer)}\n`));
}
