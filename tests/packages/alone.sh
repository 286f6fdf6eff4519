#!/bin/sh
# alone.sh COMMAND…: runs it with mounts, network namespaces and processes of its own. Whatever
# becomes of it, also after kill -9, none of them stays: they end with the first process inside.
# Needs root.
set -eu
mkdir -p /run/netns
exec unshare --mount --propagation private --pid --fork --kill-child --mount-proc sh -c '
	mount -t tmpfs folkmoot-packages /run/netns
	"$@"
	exit $?
' alone "$@"
