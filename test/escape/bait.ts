// What an attempt is after: a home folder with a key, a workspace with a repository, and on demand files elsewhere,
// services, a process outside. Everything in it says one secret, made for this one run.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import * as fs from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { LIBRARY } from "../support/library";
import { program } from "../support/programs";
import { removeTemp } from "../support/temp";

const api: typeof import("../../src/api") = require(LIBRARY);

const PROGRAM = program("attempt");

/** How long a text may be on its way to a terminal. */
const SHOWN_MS = 300;

/** How long a process must outlive its sandbox to have survived it: on a machine with much to do, dying takes a while. */
const SURVIVAL_MS = 4000;

/** Not below /tmp where that can be avoided: hidden as a whole, it would say nothing about the home folder. */
function place(): string {
  try {
    const folder = join(process.cwd(), "test-results/baits");
    fs.mkdirSync(folder, { recursive: true });
    fs.accessSync(folder, fs.constants.W_OK);
    return folder;
  } catch {
    return tmpdir();
  }
}

export interface Victim {
  readonly pid: number;
  /** Where the secret is in its memory, decimal. */
  readonly address: string;
  /** The file descriptor that it has the bait's key open on. */
  readonly fd: string;
}

export class Bait {
  readonly secret = `secret-${randomUUID()}`;
  /** Name of a variable that only this bait's processes have. */
  readonly variable = `BAIT_${randomUUID().replaceAll("-", "_")}`;
  readonly root = fs.realpathSync(fs.mkdtempSync(join(place(), "bait-")));
  readonly home = join(this.root, "home");
  readonly workspace = join(this.home, "project");
  /** In the home folder, hidden. */
  readonly key = join(this.home, ".ssh/id_ed25519");
  /** In the home folder, shown read-only as every program there: the user runs it, outside. */
  readonly tool = join(this.home, ".local/bin/tool");
  /** An empty folder in the workspace. */
  readonly empty = join(this.workspace, "empty");
  readonly hook = join(this.workspace, ".git/hooks/pre-commit");
  readonly program = join(this.workspace, "attempt");
  readonly #undo: (() => void | Promise<void>)[] = [];
  #ask = async (): Promise<boolean> => {
    throw new Error("There is no victim to be asked.");
  };
  #shown = "";

  constructor() {
    this.write(this.key);
    // As long as what is written over it.
    this.write(this.tool, `#!/bin/sh\n${"#".repeat(200)}\n`, 0o755);
    const repository = join(this.workspace, ".git");
    for (const folder of [repository, join(repository, "modules/library")]) {
      this.write(join(folder, "HEAD"), "ref: refs/heads/main\n");
      this.write(join(folder, "config"), "[core]\n\tbare = false\n");
      this.write(join(folder, "hooks/pre-commit"), "#!/bin/sh\n", 0o755);
      fs.mkdirSync(join(folder, "objects"));
      fs.mkdirSync(join(folder, "refs"));
    }
    this.write(join(this.workspace, ".vscode/tasks.json"), "{}\n");
    this.write(join(this.workspace, "folder/file"), "harmless\n");
    fs.mkdirSync(this.empty);
    fs.mkdirSync(join(this.root, "elsewhere"));
    fs.symlinkSync(this.key, join(this.workspace, "link"));
    fs.copyFileSync(PROGRAM, this.program);
    this.#undo.push(() => removeTemp(this.root));
  }

  write(path: string, content = `${this.secret}\n`, mode = 0o644): string {
    fs.mkdirSync(dirname(path), { recursive: true });
    fs.writeFileSync(path, content, { mode });
    return path;
  }

  /** Whether a file outside says the secret: somebody wrote it there. */
  isWritten(path: string): boolean {
    return fs.existsSync(path) && fs.readFileSync(path, "utf8").includes(this.secret);
  }

  /** A file with the secret in a folder of the machine, for everybody to read. */
  fileIn(folder: string): string {
    const own = fs.mkdtempSync(join(folder, "sandbox-tasks-bait-"));
    fs.chmodSync(own, 0o755);
    this.#undo.push(() => removeTemp(own));
    return this.write(join(own, "file"));
  }

  /** A folder that is removed with the bait, whoever makes it. */
  removeLater(path: string): string {
    this.#undo.push(() => fs.rmSync(path, { recursive: true, force: true }));
    return path;
  }

  /** An open file or folder, for a descriptor that was left open. */
  open(path: string): number {
    const fd = fs.openSync(path, "r");
    this.#undo.push(() => fs.closeSync(fd));
    return fd;
  }

  async #listen(server: Server, where: { port: number; host: string } | { path: string }): Promise<Server> {
    server.listen(where);
    await once(server, "listening");
    this.#undo.push(() => void server.close());
    return server;
  }

  #greeter(): Server {
    return createServer((socket) => {
      socket.on("error", () => {}); // the attempt may be killed before it has read
      socket.end(`${this.secret}\n`);
    });
  }

  /** A service on the machine's loopback that tells the secret to whoever connects. @returns its port */
  async tcp(): Promise<string> {
    const server = await this.#listen(this.#greeter(), { port: 0, host: "127.0.0.1" });
    const address = server.address();
    return String(typeof address === "object" ? address?.port : undefined);
  }

  /** The same at a path, or with "\0" in front at an abstract name. */
  async unix(path: string): Promise<string> {
    await this.#listen(this.#greeter(), { path });
    return path;
  }

  /** The same in the workspace, bound by a process that stands there, by a name alone. @returns its path */
  async relativeSocket(): Promise<string> {
    const child = spawn(PROGRAM, ["serve", "relative", this.secret], {
      stdio: ["pipe", "pipe", "inherit"],
      cwd: this.workspace,
    });
    await once(child.stdout, "data");
    this.#undo.push(() => this.#end(child));
    return join(this.workspace, "relative");
  }

  /** A service that answers datagrams, and sends some to itself. @returns its port */
  async udp(): Promise<string> {
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    const { port } = socket.address();
    socket.on("message", (message, from) => {
      if (message.toString() === "?") socket.send(this.secret, from.port, from.address);
    });
    const traffic = setInterval(() => socket.send(this.secret, port, "127.0.0.1"), 20);
    this.#undo.push(() => {
      clearInterval(traffic);
      socket.close();
    });
    return String(port);
  }

  /** Another process of the user's, outside. */
  async victim(): Promise<Victim> {
    const file = join(this.root, "victim");
    fs.copyFileSync(PROGRAM, file);
    const child = spawn(file, ["victim", this.secret, this.key], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { [this.variable]: this.secret },
      cwd: this.home,
    });
    const lines = createInterface(child.stdout);
    const [first] = (await once(lines, "line")) as [string];
    const [pid = "", address = "", fd = ""] = first.split(" ");
    child.stdin.on("error", () => {}); // it has ended
    this.#ask = async () => {
      child.stdin.write("?");
      const answer = once(lines, "line").then(([line]) => line === "signalled");
      return Promise.race([answer, once(lines, "close").then(() => true)]);
    };
    this.#undo.push(() => this.#end(child));
    return { pid: Number(pid), address, fd };
  }

  /** Whether the victim was signalled, or killed. It gets a signal before it gets a question that is asked later. */
  signalled(): Promise<boolean> {
    return this.#ask();
  }

  async #end(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  /** Another terminal, that the user types into. @returns its path */
  async terminal(): Promise<string> {
    const holder = await api.spawn("cat", [], { terminal: { columns: 80, rows: 24 } });
    holder.terminal?.output.on("data", (chunk: Buffer) => {
      this.#shown += chunk;
    });
    this.#undo.push(async () => {
      holder.kill("SIGKILL");
      await holder.exited;
    });
    return fs.readlinkSync(`/proc/${holder.pid}/fd/0`);
  }

  /** Whether that terminal shows the secret. */
  async isShown(): Promise<boolean> {
    await delay(SHOWN_MS);
    return this.#shown.includes(this.secret);
  }

  /** A key of the kernel's, that any process of the user may read. @returns its number */
  kernelKey(): string {
    return this.layFor(["make-key", this.root, this.secret], (serial) => ["remove-key", serial]);
  }

  /** Processes, wherever they are, that have the secret among their arguments. */
  marked(): number[] {
    return fs
      .readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => {
        try {
          return fs.readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(this.secret);
        } catch {
          return false; // ended while we looked
        }
      });
  }

  /** Whether one of those outlived its sandbox by seconds; it is ended then. */
  async survived(): Promise<boolean> {
    for (let waited = 0; waited < SURVIVAL_MS; waited += 50) {
      if (this.marked().length === 0) return false;
      await delay(50);
    }
    for (const pid of this.marked()) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // Ended by itself.
      }
    }
    return true;
  }

  /** A name for a cgroup below our own, in version 2; it is removed if somebody makes it. */
  cgroup(): string {
    const [, own = "/"] = /^0::(.*)$/m.exec(fs.readFileSync("/proc/self/cgroup", "utf8")) ?? [];
    const root = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].find((at) => fs.existsSync(join(at, "cgroup.procs")));
    const path = join(root ?? "/sys/fs/cgroup", own, `bait-${this.secret}`);
    this.#undo.push(() => {
      if (fs.existsSync(path)) fs.rmdirSync(path);
    });
    return path;
  }

  /** Lays something by the program itself. @returns what it printed */
  lay(...words: string[]): string {
    const run = spawnSync(PROGRAM, words, { encoding: "utf8" });
    if (run.status !== 0) throw new Error(`attempt ${words.join(" ")}: ${run.stdout}${run.stderr}`);
    return run.stdout.trim();
  }

  /** Something laid by the program, with the words that take it away again. */
  layFor(words: string[], undo: (made: string) => string[]): string {
    const made = this.lay(...words);
    this.#undo.push(() => void this.lay(...undo(made)));
    return made;
  }

  async remove(): Promise<void> {
    for (const undo of this.#undo.reverse()) await undo();
  }
}
