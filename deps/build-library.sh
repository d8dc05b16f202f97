#!/bin/bash
# Builds one library of one flavour, unless what it is made of has not changed since.
#   build-library.sh FLAVOUR LIBRARY [LIBRARY IT NEEDS ...]
# "What it is made of": its lines of the manifest, its patches, its recipe, this script, the compiler, the place it is
# installed to and the same of the libraries it needs. The key of that is kept in PREFIX/.keys/LIBRARY.
set -euo pipefail

flavour=$1 library=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
prefix=$DEPS_OUT/$flavour
work=$prefix/.work/$library
keys=$prefix/.keys
log=$prefix/.work/$library.log
mkdir -p "$keys" "$prefix/.work" "$prefix/include" "$prefix/lib" "$prefix/bin"

needs=("$@")
[ "$library" = toolchain ] || needs+=(toolchain)
[ "$library" = toolchain ] && manifest_name=musl || manifest_name=$library
key=$(
    {
        grep "^$manifest_name " "$here/manifest"
        cat "$here/build-library.sh" "$here/flavours.sh" "$here/recipes/$library.sh"
        find "$here/patches/$library" "$here/config/$library" -type f 2>/dev/null | sort | xargs -r cat
        gcc --version
        echo "$prefix"
        [ ! -e "$here/patches/$library/${DEPS_WITHOUT_PATCH:-none}" ] || echo "without $DEPS_WITHOUT_PATCH"
        for need in "${needs[@]}"; do cat "$keys/$need"; done
    } | sha256sum
)
[ -e "$keys/$library" ] && [ "$(cat "$keys/$library")" = "$key" ] && exit 0

started=$SECONDS
rm -rf "$work" "$keys/$library"
mkdir -p "$work"

# unpack: upstream's source, then Debian's series, then our own patches, each of which says why it exists.
unpack() {
    local kind path file patch
    while read -r _ kind _ _ path; do
        file=$DEPS_DOWNLOADS/${path##*/}
        case $kind in
            orig) tar -x --strip-components=1 -C "$work" -f "$file" ;;
            debian) tar -x -C "$work" -f "$file" ;;
        esac
    done < <(grep "^$library " "$here/manifest")
    if [ -e "$work/debian/patches/series" ]; then
        while read -r patch _; do
            case $patch in '' | '#'*) continue ;; esac
            patch -d "$work" -p1 -s --no-backup-if-mismatch <"$work/debian/patches/$patch"
        done <"$work/debian/patches/series"
    fi
    for patch in "$here/patches/$library"/*.patch; do
        # DEPS_WITHOUT_PATCH: how tests/deps shows that a test fails without its patch.
        if [ ! -e "$patch" ] || [ "${patch##*/}" = "${DEPS_WITHOUT_PATCH:-}" ]; then continue; fi
        echo "patch ${patch##*/}"
        patch -d "$work" -p1 -s --no-backup-if-mismatch <"$patch"
    done
}

# In the background, because bash ignores "set -e" inside the condition of an if.
(
    [ "$library" = toolchain ] || unpack
    # shellcheck source=/dev/null
    . "$here/flavours.sh"
    cd "$work"
    . "$here/recipes/$library.sh"
) >"$log" 2>&1 &
if ! wait $!; then
    tail -n 40 "$log" >&2
    echo "deps: building $library ($flavour) failed; the whole log is $log" >&2
    exit 1
fi
[ -n "${DEPS_KEEP_SOURCE:-}" ] || rm -rf "$work"
echo "$key" >"$keys/$library"
echo "deps: $library ($flavour) built in $((SECONDS - started)) s" >&2
