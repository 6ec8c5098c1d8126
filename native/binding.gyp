{
  "variables": {
    # Empty, "address" (with undefined behaviour) or "thread": scripts/native.mjs sets it.
    "sanitize%": "",
    # Where libseccomp is when it is not this machine's own.
    "sysroot%": "",
    # What runs in the child: in the addon and in PID 1.
    "plan_steps": [
      "plan/fds.cc",
      "plan/filter.cc",
      "plan/identity.cc",
      "plan/landlock.cc",
      "plan/lookup.cc",
      "plan/mount_table.cc",
      "plan/mounts.cc",
      "plan/overlay.cc",
      "plan/process.cc",
      "plan/remount.cc",
      "plan/run.cc",
      "plan/session.cc",
      "plan/trees.cc",
      "plan/walk.cc"
    ]
  },
  "target_defaults": {
    "cflags_cc!": ["-std=gnu++17", "-std=gnu++20"],
    "cflags_cc": ["-std=c++20", "-Wall", "-Wextra", "-Werror", "-ffunction-sections", "-fdata-sections"],
    "conditions": [["sanitize!=''", { "cflags": ["-g", "-fno-omit-frame-pointer"] }]]
  },
  "targets": [
    {
      "target_name": "spawner",
      "sources": [
        "addon.cc",
        "answerer.cc",
        "child_side.cc",
        "clone.cc",
        "denial_listener.cc",
        "denial_source.cc",
        "exit_watcher.cc",
        "instance.cc",
        "map_writer.cc",
        "pipes.cc",
        "plan/plan.cc",
        "poll_handle.cc",
        "portability.cc",
        "seccomp_filter.cc",
        "spawn.cc",
        "spawner.cc",
        "terminal.cc",
        "tracee.cc",
        "wait.cc"
      ],
      "dependencies": ["<!(node -p \"require('node-addon-api').targets\"):node_addon_api_except", "plan-steps"],
      # A worker may be terminated at any moment, and then an exception on its way to JavaScript has nowhere to go: it would
      # end the editor.
      "defines": ["NAPI_VERSION=9", "NODE_API_NO_EXTERNAL_BUFFERS_ALLOWED", "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"],
      "cflags_cc": ["-fvisibility=hidden"],
      "ldflags": ["-Wl,--gc-sections", "-Wl,-z,now", "-Wl,-z,nodelete"],
      # Static, so that no machine needs to have it; hidden, so that an editor which has its own gets that one.
      "libraries": ["-Wl,--exclude-libs,libseccomp.a", "-l:libseccomp.a"],
      "configurations": { "Release": { "cflags": ["-O2"] } },
      "conditions": [
        ["sysroot!=''", {
          "cflags": ["-idirafter <(sysroot)/usr/include"],
          "ldflags": ["-L<(sysroot)/usr/lib/aarch64-linux-gnu"]
        }],
        ["sanitize==''", { "ldflags": ["-s"] }],
        ["sanitize=='address'", {
          "cflags": ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"],
          "ldflags": ["-fsanitize=address,undefined"]
        }],
        ["sanitize=='thread'", { "cflags": ["-fsanitize=thread"], "ldflags": ["-fsanitize=thread"] }]
      ]
    },
    {
      # The child's code by itself, because sanitizers treat it differently: it may not call their runtime, which lives in
      # the editor's memory and takes locks. AddressSanitizer calls out only when it has found something; undefined
      # behaviour traps; ThreadSanitizer, which calls out at each access and function, stays away.
      "target_name": "plan-steps",
      "type": "static_library",
      "sources": ["<@(plan_steps)"],
      "cflags_cc": ["-fvisibility=hidden"],
      "configurations": { "Release": { "cflags": ["-O2"] } },
      "conditions": [
        ["sanitize=='address'", {
          "cflags": ["-fsanitize=address,undefined", "-fsanitize-undefined-trap-on-error"]
        }]
      ]
    },
    {
      "target_name": "sandbox-init",
      "type": "executable",
      "sources": ["init/init.cc", "init/tree.cc", "plan/plan.cc", "<@(plan_steps)"],
      "cflags_cc!": ["-fPIC", "-O3"],
      "cflags_cc": [
        "-Os", "-ffreestanding", "-fno-exceptions", "-fno-rtti", "-fno-stack-protector", "-fno-asynchronous-unwind-tables",
        "-fno-threadsafe-statics", "-fno-pie"
      ],
      "ldflags!": ["-rdynamic", "-pthread"],
      "ldflags": [
        "-nostdlib", "-static", "-no-pie", "-s", "-Wl,--gc-sections", "-Wl,--build-id=none", "-Wl,-z,noexecstack",
        "-Wl,-z,norelro", "-Wl,-z,noseparate-code"
      ],
      "conditions": [
        # Without libc there is no runtime either; a trap needs none.
        ["sanitize=='address'", { "cflags": ["-fsanitize=undefined", "-fsanitize-undefined-trap-on-error"] }]
      ]
    }
  ]
}
