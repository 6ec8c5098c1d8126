#!/bin/sh
# A systemd user manager and its bus, in namespaces and cgroups of their own, for one command. The caller has put us into
# cgroups of its own, which are the roots of what is mounted here. Called by unshare with new mount, PID and cgroup namespaces.
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /sys/fs/cgroup
mkdir /sys/fs/cgroup/unified /sys/fs/cgroup/systemd
mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified
mount -t cgroup -o none,name=systemd,xattr systemd /sys/fs/cgroup/systemd
mount -t tmpfs tmpfs /run
mkdir -p /run/user/0 /run/systemd/system
export XDG_RUNTIME_DIR=/run/user/0
unset DBUS_SESSION_BUS_ADDRESS
systemd --user --log-target=console --log-level=err &
until [ -S /run/user/0/systemd/private ]; do sleep 0.1; done
systemctl --user start dbus.socket
# To root, the library takes it for the system's manager.
export DBUS_SYSTEM_BUS_ADDRESS=unix:path=/run/user/0/bus
"$@"
status=$?
# The next scope is only gone when the manager has seen the end of the last.
until [ -z "$(find /sys/fs/cgroup/unified -name 'sandbox-tasks-*.scope')" ]; do sleep 0.1; done
echo gone
systemctl --user exit 2>/dev/null || true
exit $status
