// Python, Perl, shell and git: interpreters, terminals, version control.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { skipBecause } from "../support/skip";
import { needs, Project } from "./project";
import { wheelBackend } from "./wheel-backend";

describe("builds: scripts", () => {
  let project: Project;
  beforeEach(() => {
    project = new Project();
  });
  afterEach(() => project.remove());

  it("a venv, pip install of a local package, and unittest", async function () {
    needs(this, "python3");
    if (spawnSync("python3", ["-c", "import ensurepip, venv"]).status !== 0) {
      skipBecause(this, "python3 has no ensurepip (Debian: python3-venv)");
    }
    project.add({
      "sample/pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
      "sample/backend.py": wheelBackend(),
      "sample/sample.py": "def greet(name):\n    return f'hello {name}'\n",
      "test_sample.py":
        "import sample, unittest\nclass Greets(unittest.TestCase):\n    def test_greets(self):\n        self.assertEqual(sample.greet('x'), 'hello x')\n",
    });
    const output = await project.build(
      `python3 -m venv venv; . venv/bin/activate; pip install --no-index --no-build-isolation ./sample; python -m unittest -v`,
      ["venv", "__pycache__", "sample/__pycache__"],
    );
    assert.match(output, /Successfully installed sample-1.0/);
    assert.match(output, /^OK$/m);
  });

  it("multiprocessing, a server and a client in Python", async function () {
    needs(this, "python3");
    project.add({
      "run.py": `import multiprocessing, socket, socketserver, threading, tempfile, os
class Echo(socketserver.BaseRequestHandler):
    def handle(self): self.request.sendall(self.request.recv(100).upper())
def square(x): return x * x
if __name__ == "__main__":
    with multiprocessing.Pool(2) as pool: print(pool.map(square, range(4)))
    with socketserver.TCPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with socket.create_connection(server.server_address) as client:
            client.sendall(b"hello"); print(client.recv(100))
        server.shutdown()
    with socketserver.UnixStreamServer("echo.sock", Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect("echo.sock"); client.sendall(b"path"); print(client.recv(100))
        server.shutdown()
    os.unlink("echo.sock")
    with tempfile.NamedTemporaryFile() as file: print(os.path.dirname(file.name))
`,
    });
    assert.equal(await project.build("python3 run.py", []), "[0, 1, 4, 9]\nb'HELLO'\nb'PATH'\n/tmp\n");
  });

  it("prove, Perl's test harness", async function () {
    needs(this, "perl", "prove");
    project.add({ "t/one.t": 'use Test::More tests => 1; is(`echo x`, "x\\n");\n' });
    assert.match(await project.build("prove t", []), /Result: PASS/);
  });

  it("script, tty and stty in a terminal", async function () {
    needs(this, "script", "stty");
    const output = await project.build(
      "tty; stty size; script -qec 'tty; exec 3<>/dev/tty; echo to the terminal >&3' /dev/null",
      [],
      true,
    );
    assert.match(output, /^\/dev\/pts\/\d+\n24 80\n\/dev\/pts\/\d+\nto the terminal\n/);
  });

  it("tmux, with and without a terminal around it", async function () {
    needs(this, "tmux");
    const line = `tmux -f /dev/null new-session -d -x 80 -y 24 -s sample 'echo inside tmux; exec cat'
      for turn in $(seq 100); do tmux capture-pane -p -t sample | grep -q inside && break; sleep 0.1; done
      tmux capture-pane -p -t sample | grep inside; tmux kill-server`;
    assert.match(await project.build(line, []), /^inside tmux$/m);
    assert.match(await project.build(line, [], true), /^inside tmux$/m);
  });

  it("a shell's own test suite: jobs, traps, locks, here-documents, process substitution", async function () {
    needs(this, "bash", "flock", "mktemp");
    project.add({
      "test.sh": `#!/bin/bash
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"; echo cleaned' EXIT
diff <(printf 'a\\nb\\n') <(printf 'a\\nb\\n')
sleep 0.01 & wait $!
flock "$folder/lock" true
mkfifo "$folder/pipe"; echo through > "$folder/pipe" & read -r word < "$folder/pipe"; [ "$word" = through ]
cat > "$folder/file" <<END
$(seq 1000 | sort -n | tail -1)
END
[ "$(cat "$folder/file")" = 1000 ]
seq 4 | xargs -P 2 -n 1 true
tar -C "$folder" -cf - file | tar -C "$folder" -xf - --transform 's/file/copy/'; cmp "$folder/file" "$folder/copy"
timeout 5 true; nice true; id -un > /dev/null; date > /dev/null; ps ax > /dev/null
echo passed
`,
    });
    assert.equal(await project.build("./test.sh", []), "passed\ncleaned\n");
  });

  it("git in the repository that is the workspace: commits, branches, merges, worktrees", async function () {
    needs(this, "git");
    project.add({ "file.txt": "one\n" });
    const who = "git config user.name Tester; git config user.email tester@localhost";
    await project.outside(`git init -q -b main; ${who}; git add .; git commit -q -m first`);
    const output = await project.build(
      `git status --short; echo two >> file.txt; git commit -qam second; git tag v1; git branch side HEAD~1
       git checkout -q side; echo other > other.txt; git add .; git commit -qm third; git checkout -q main; git merge -q side -m merged
       git stash list; git rebase -q HEAD; git worktree add -q linked side; git -C linked log --oneline | wc -l; git worktree list | wc -l
       git worktree remove linked; git gc -q; git fsck; git log --format=%s`,
      [".git", "file.txt", "other.txt"],
    );
    assert.match(output, /^2\n2\n/);
    assert.match(output, /merged\nthird\nsecond\nfirst|merged\nsecond\nthird\nfirst/);
  });

  it("git in repositories of its own: init, clone, submodules", async function () {
    needs(this, "git");
    const output = await project.build(
      `export GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@localhost GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@localhost
       git init -q -b main library; cd library; echo x > file; git add .; git commit -qm library; cd ..
       git init -q -b main program; cd program; git -c protocol.file.allow=always submodule --quiet add ../library
       git commit -qm program; git submodule status; cd ..; git clone -q program copy; git -C copy log --format=%s`,
      ["library", "program", "copy"],
    );
    assert.match(output, /library \(heads\/main\)\nprogram\n$/);
  });
});
