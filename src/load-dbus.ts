// The D-Bus client, loaded when systemd is asked for a cgroup: few editors ever do. webpack.config.js leaves this one
// require as it is.

import type * as Dbus from "./dbus";

/** The client; Node keeps it once it is loaded. */
export function dbus(): typeof Dbus {
  return require("./dbus");
}
