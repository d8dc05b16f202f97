#!/bin/sh
# Gives a sandbox a file system of its own without an image: a root directory with the machine's /usr, /etc and so on
# in it, and with its own /workspace, /tmp, /run, /root and /app. Runs in a new mount and PID namespace (sandbox.mjs).
#
# usage: enter-root.sh ROOT [SOURCE TARGET]... -- PROGRAM [ARGUMENT]...
#   SOURCE of the machine is seen as TARGET in the sandbox; TARGET must exist below ROOT.
set -eu

root=$1
shift

for entry in /*; do
    case $entry in
    /tmp | /workspace | /run | /root | /home | /app | /proc) ;;
    *)
        if [ -L "$entry" ]; then
            cp -P "$entry" "$root$entry"
        elif [ -d "$entry" ]; then
            mkdir -p "$root$entry"
            mount --rbind "$entry" "$root$entry"
        fi
        ;;
    esac
done
# The machine's own commands, in a directory that a sandbox may add to without changing the machine.
mkdir -p "$root/app/local-bin"
mount --bind /usr/local/bin "$root/app/local-bin"
mount -t tmpfs tmpfs "$root/usr/local/bin"
for command in /usr/local/bin/*; do
    if [ -L "$command" ]; then
        cp -P "$command" "$root$command"
    elif [ -e "$command" ]; then
        ln -s "/app/local-bin/${command##*/}" "$root$command"
    fi
done
# Sandboxes that run at the same time must not meet in it.
mount -t tmpfs -o size=64m tmpfs "$root/dev/shm"
mkdir -p "$root/proc"
mount -t proc proc "$root/proc"

while [ "$1" != -- ]; do
    mount --bind "$1" "$root$2"
    shift 2
done
shift

exec chroot "$root" "$@"
