// A program that starts a line of shell with sys.subreaper and waits to be killed, for subreaper.test.ts.

import { api, OWNED } from "../spawner-world";

async function main(line: string): Promise<void> {
  const child = await api.spawn("sh", ["-c", line], { sys: OWNED, stdio: ["ignore", "ignore", "inherit"] });
  process.stdout.write("spawned\n");
  await child.exited;
}

void main(process.argv[2] ?? "");
