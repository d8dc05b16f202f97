#!/bin/bash
# Builds the C libraries of one flavour, static, into build/deps/FLAVOUR/{include,lib}.
#   build.sh musl|asan
# musl: the product's flavour, with musl from a private prefix. asan: glibc with ASan and UBSan, for tests.
# Only what changed is built again (see build-library.sh). DEPS_CACHE names another folder for the downloads.
set -euo pipefail

flavour=$1
here=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$here")
# The place itself, not a link to it: what is built there is the same for all that link to it.
out=$(realpath -m "${DEPS_OUT:-$top/build/deps}")
export DEPS_OUT=$out DEPS_DOWNLOADS=${DEPS_CACHE:-$top/build/deps/downloads}

mkdir -p "$out/$flavour"
exec 8>"$out/$flavour/.lock"
flock 8 # two makes at once would build into one prefix

"$here/tools.sh"
"$here/fetch.sh" "$DEPS_DOWNLOADS"
MAKEFLAGS='' make --no-print-directory -s -f "$here/libraries.mk" -j "$(nproc)" FLAVOUR="$flavour" all
