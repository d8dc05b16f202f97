#!/bin/bash
# Fetches the files of deps/manifest into DOWNLOADS and checks their sha256.
#   fetch.sh DOWNLOADS
# The mirror is the one this machine's apt is configured for, DEPS_MIRROR overrides it. apt's own helper does the
# transfer, so that apt's proxy, certificate and login settings hold here too. A file that is there is not fetched again.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
downloads=$1
mkdir -p "$downloads"
case $(uname -m) in
    x86_64) machine=amd64 ;;
    aarch64) machine=arm64 ;;
    *) echo "deps: no musl package is pinned for $(uname -m) in deps/manifest" >&2; exit 1 ;;
esac

# Mirrors, best first: Debian's own suites, then whatever else apt knows that looks like a Debian archive (apt cannot
# tell the origin before its first update).
mirrors() {
    if [ -n "${DEPS_MIRROR:-}" ]; then
        echo "${DEPS_MIRROR%/}"
        return
    fi
    apt-get indextargets --format '$(ORIGIN) $(SITE)' 'Created-By: Packages' |
        awk '$1 == "Debian" { print $2; next } $NF ~ /debian/ { later[++n] = $NF }
             END { for (i = 1; i <= n; i++) print later[i] }' | awk '!seen[$0]++ { sub(/\/$/, ""); print }'
}

# The helper wants "URL FILE HASH" triples; it fetches them together and leaves a file only if the hash is right.
wanted=()
list_wanted() {
    wanted=()
    while read -r library kind _ sum path; do
        case $library:$kind in
            '#'* | :) continue ;;
            *:amd64 | *:arm64) [ "$kind" = "$machine" ] || continue ;;
        esac
        file=$downloads/${path##*/}
        if [ -e "$file" ] && ! echo "$sum  $file" | sha256sum -c --status -; then
            rm -f "$file"
        fi
        [ -e "$file" ] || wanted+=("$1/$path" "$file" "SHA256:$sum")
    done <"$here/manifest"
}

list_wanted -
[ ${#wanted[@]} -eq 0 ] && exit 0

helper=/usr/lib/apt/apt-helper
[ -x $helper ] || { echo "deps: $helper is missing; fetching needs Debian's apt" >&2; exit 1; }
exec 9>"$downloads/.lock"
flock 9

log=$downloads/fetch.log
: >"$log"
for mirror in $(mirrors); do
    list_wanted "$mirror"
    [ ${#wanted[@]} -eq 0 ] && break
    echo "deps: fetching $((${#wanted[@]} / 3)) files" >&2
    $helper -o Acquire::Retries=3 download-file "${wanted[@]}" >>"$log" 2>&1 || true
done

list_wanted -
if [ ${#wanted[@]} -ne 0 ]; then
    {
        echo "deps: not fetched, or not with the pinned sha256:"
        for ((i = 1; i < ${#wanted[@]}; i += 3)); do echo "    ${wanted[i]##*/}"; done
        echo "deps: the reason stands in $log. If the mirror no longer keeps a version, raise its pin in deps/manifest"
        echo "deps: or set DEPS_MIRROR to the root of a mirror that keeps old versions. If apt knows no mirror, set it too."
    } >&2
    exit 1
fi
