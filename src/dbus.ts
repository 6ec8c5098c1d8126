// The D-Bus client: dist/dbus.js, which load-dbus.ts loads when systemd is asked for a cgroup.

export { Message, type MessageBus, sessionBus, systemBus, Variant } from "@jellybrick/dbus-next";
