// C, Rust and Java: compilers, build systems, and what is tested and debugged with them.

import assert from "node:assert/strict";
import { needs, Project } from "./project";

const PARTS = ["one", "two", "three", "four"];

/** Several files and a header. */
const PROGRAM: Readonly<Record<string, string>> = {
  "parts.h": PARTS.map((name) => `int ${name}(void);\n`).join(""),
  ...Object.fromEntries(
    PARTS.map((name, at) => [`${name}.c`, `#include "parts.h"\nint ${name}(void) { return ${at + 1}; }\n`]),
  ),
  "main.c": `#include <stdio.h>\n#include "parts.h"\nint main(void) { printf("sum %d\\n", ${PARTS.map((name) => `${name}()`).join(" + ")}); return 0; }\n`,
};

describe("builds: compiled languages", () => {
  let project: Project;
  beforeEach(() => {
    project = new Project();
  });
  afterEach(() => project.remove());

  it("gcc and make, two jobs at a time", async function () {
    needs(this, "gcc", "make");
    project.add({
      ...PROGRAM,
      Makefile: `objects = $(patsubst %.c,build/%.o,$(wildcard *.c))
program: $(objects)
\t$(CC) -o $@ $^
build/%.o: %.c parts.h | build
\t$(CC) -O2 -c -o $@ $<
build:
\tmkdir $@
check: program
\t./program
`,
    });
    assert.match(await project.build("make -j2 check", ["build", "program"]), /^sum 10$/m);
  });

  it("cmake and ctest", async function () {
    needs(this, "cmake", "gcc", "make");
    project.add({
      ...PROGRAM,
      "CMakeLists.txt": `cmake_minimum_required(VERSION 3.13)
project(sample C)
enable_testing()
find_package(Threads REQUIRED)
add_executable(sample main.c ${PARTS.map((name) => `${name}.c`).join(" ")})
target_link_libraries(sample Threads::Threads)
add_test(NAME sample COMMAND sample)
install(TARGETS sample DESTINATION bin)
`,
    });
    const output = await project.build(
      "cmake -S . -B build; cmake --build build -j2; cd build; ctest; DESTDIR=$PWD/installed cmake --install .",
      ["build"],
    );
    assert.match(output, /100% tests passed/);
  });

  it("a configure script, make check and make install", async function () {
    needs(this, "cc", "make", "sed");
    project.add({
      ...PROGRAM,
      configure: `#!/bin/sh
# As autoconf's do: try programs, and write a Makefile from what they say.
prefix=/usr/local
for option; do case $option in --prefix=*) prefix=\${option#*=};; esac; done
try() { printf '%s\\n' "$2" > conftest.c && cc -o conftest conftest.c $3 > config.log 2>&1 && ./conftest && echo "checking for $1... yes"; }
try "a working compiler" 'int main(void) { return 0; }' || exit 77
try pthread.h '#include <pthread.h>
static void *run(void *x) { return x; }
int main(void) { pthread_t t; return pthread_create(&t, 0, run, 0) || pthread_join(t, 0); }' -pthread || exit 1
try fork '#include <unistd.h>
#include <sys/wait.h>
int main(void) { if (fork() == 0) _exit(0); int s; return wait(&s) < 0; }' || exit 1
rm -f conftest conftest.c
sed -e "s,@prefix@,$prefix," Makefile.in > Makefile
echo "config.status: creating Makefile"
`,
      "Makefile.in": `prefix = @prefix@
program: main.c ${PARTS.map((name) => `${name}.c`).join(" ")}
\tcc -o $@ $^
check: program
\ttest "$$(./program)" = "sum 10"
install: program
\tinstall -D -m 755 program $(DESTDIR)$(prefix)/bin/program
`,
    });
    const output = await project.build(
      "./configure --prefix=/opt/sample; make check; make install DESTDIR=$PWD/staged; staged/opt/sample/bin/program; make install DESTDIR=/tmp/staged",
      ["Makefile", "config.log", "program", "staged"],
    );
    assert.match(output, /checking for pthread.h... yes/);
  });

  it("threads, forks, pipes, shared memory, semaphores and queues", async function () {
    needs(this, "gcc");
    project.add({
      "all.c": `#include <assert.h>
#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>
static void *run(void *x) { ++*(int *)x; return x; }
int main(void) {
  int count = 0; pthread_t thread;
  assert(pthread_create(&thread, 0, run, &count) == 0 && pthread_join(thread, 0) == 0 && count == 1);
  int fd = shm_open("/sample", O_CREAT | O_RDWR, 0600);
  assert(fd >= 0 && ftruncate(fd, 4096) == 0);
  int *shared = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  assert(shared != MAP_FAILED);
  sem_t *semaphore = sem_open("/sample", O_CREAT, 0600, 0);
  assert(semaphore != SEM_FAILED);
  int segment = shmget(IPC_PRIVATE, 4096, 0600);
  int *attached = shmat(segment, 0, 0);
  assert(attached != (void *)-1);
  struct mq_attr limits = {.mq_maxmsg = 1, .mq_msgsize = 8};
  mqd_t queue = mq_open("/sample", O_CREAT | O_RDWR, 0600, &limits);
  assert(queue >= 0);
  int ends[2]; assert(pipe(ends) == 0);
  if (fork() == 0) { *shared = 1; *attached = 2; assert(write(ends[1], "x", 1) == 1); assert(mq_send(queue, "q", 1, 0) == 0); sem_post(semaphore); _exit(0); }
  char byte[8]; assert(read(ends[0], byte, 1) == 1 && sem_wait(semaphore) == 0 && mq_receive(queue, byte, 8, 0) == 1);
  assert(*shared == 1 && *attached == 2 && wait(0) > 0);
  puts("all of them work");
}
`,
    });
    assert.match(await project.build("gcc -o all all.c -pthread -lrt; ./all", ["all"]), /^all of them work$/m);
  });

  it("gdb and strace on a program of its own", async function () {
    needs(this, "gcc", "gdb", "strace");
    project.add({ "crash.c": "static int crash(int *at) { return *at; }\nint main(void) { return crash(0); }\n" });
    const output = await project.build(
      "gcc -g -o crash crash.c; strace -f -e trace=execve -o trace.txt sh -c true; cat trace.txt; gdb -q -batch -ex run -ex bt ./crash",
      ["crash", "trace.txt"],
    );
    assert.match(output, /execve\(.*"sh"/);
    assert.match(output, /SIGSEGV[\s\S]*crash \(at=0x0\)[\s\S]*main/);
  });

  it("cargo build and test, with a dependency by path", async function () {
    needs(this, "cargo");
    project.add({
      "Cargo.toml":
        '[package]\nname = "sample"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\ngreeter = { path = "greeter" }\n',
      "src/main.rs":
        'fn main() { println!("{}", greeter::greet("cargo")); }\n#[test]\nfn greets() { assert_eq!(greeter::greet("x"), "hello x"); }\n',
      "greeter/Cargo.toml": '[package]\nname = "greeter"\nversion = "0.1.0"\nedition = "2021"\n',
      "greeter/src/lib.rs": 'pub fn greet(name: &str) -> String { format!("hello {name}") }\n',
    });
    const output = await project.build("cargo run --offline; cargo test --offline", ["target", "Cargo.lock"]);
    assert.match(output, /^hello cargo$/m);
    assert.match(output, /test result: ok. 1 passed/);
  });

  it("javac, jar and java", async function () {
    needs(this, "javac", "jar", "java");
    project.add({
      "src/sample/Main.java":
        'package sample;\npublic class Main { public static void main(String[] a) { System.out.println("hello " + Greeter.name()); } }\n',
      "src/sample/Greeter.java": 'package sample;\nclass Greeter { static String name() { return "java"; } }\n',
    });
    const output = await project.build(
      "javac -d classes $(find src -name '*.java'); jar cfe sample.jar sample.Main -C classes .; java -jar sample.jar",
      ["classes", "sample.jar"],
    );
    assert.match(output, /^hello java$/m);
  });

  it("java, asked for the memory and processors of the machine, as Gradle asks", async function () {
    needs(this, "java", "javac");
    project.add({
      "Machine.java": `import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
public class Machine {
  public static void main(String[] a) {
    OperatingSystemMXBean machine = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    System.out.println("memory " + machine.getTotalPhysicalMemorySize() + " processors " + machine.getAvailableProcessors());
  }
}
`,
    });
    assert.match(await project.build("java Machine.java", []), /^memory [1-9]\d{7,} processors [1-9]/m);
  });

  it("mvn, for what it needs no plugin", async function () {
    needs(this, "mvn", "java");
    project.add({
      "pom.xml":
        "<project><modelVersion>4.0.0</modelVersion><groupId>a</groupId><artifactId>sample</artifactId><version>1</version></project>\n",
    });
    assert.match(await project.build("mvn -o -B validate", []), /BUILD SUCCESS/);
  });
});
