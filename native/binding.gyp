{
  "targets": [
    {
      "target_name": "spawner",
      "sources": [
        "addon.cc",
        "child_side.cc",
        "clone.cc",
        "exit_watcher.cc",
        "instance.cc",
        "map_writer.cc",
        "pipes.cc",
        "poll_handle.cc",
        "portability.cc",
        "spawner.cc",
        "terminal.cc",
        "tracee.cc",
        "wait.cc",
        "plan/identity.cc",
        "plan/lookup.cc",
        "plan/mount_table.cc",
        "plan/mounts.cc",
        "plan/plan.cc",
        "plan/process.cc",
        "plan/remount.cc",
        "plan/run.cc",
        "plan/trees.cc",
        "plan/walk.cc"
      ],
      "dependencies": ["<!(node -p \"require('node-addon-api').targets\"):node_addon_api_except"],
      "defines": ["NAPI_VERSION=9", "NODE_API_NO_EXTERNAL_BUFFERS_ALLOWED"],
      "cflags_cc!": ["-std=gnu++17", "-std=gnu++20"],
      "cflags_cc": ["-std=c++20", "-Wall", "-Wextra", "-Werror", "-fvisibility=hidden", "-ffunction-sections", "-fdata-sections"],
      "ldflags": ["-Wl,--gc-sections", "-Wl,-z,now", "-Wl,-z,nodelete"],
      "configurations": { "Release": { "cflags": ["-O2"], "ldflags": ["-s"] } }
    },
    {
      "target_name": "sandbox-init",
      "type": "executable",
      "sources": [
        "init/init.cc",
        "plan/identity.cc",
        "plan/lookup.cc",
        "plan/mount_table.cc",
        "plan/mounts.cc",
        "plan/plan.cc",
        "plan/process.cc",
        "plan/remount.cc",
        "plan/run.cc",
        "plan/trees.cc",
        "plan/walk.cc"
      ],
      "cflags_cc!": ["-std=gnu++17", "-std=gnu++20", "-fPIC", "-O3"],
      "cflags_cc": [
        "-std=c++20", "-Os", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-fno-exceptions", "-fno-rtti",
        "-fno-stack-protector", "-fno-asynchronous-unwind-tables", "-fno-threadsafe-statics", "-fno-pie",
        "-ffunction-sections", "-fdata-sections"
      ],
      "ldflags!": ["-rdynamic", "-pthread"],
      "ldflags": [
        "-nostdlib", "-static", "-no-pie", "-s", "-Wl,--gc-sections", "-Wl,--build-id=none", "-Wl,-z,noexecstack",
        "-Wl,-z,norelro", "-Wl,-z,noseparate-code"
      ]
    }
  ]
}
