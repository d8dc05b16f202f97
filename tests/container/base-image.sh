#!/usr/bin/env bash
# A stand-in for debian:bookworm-slim on a machine that reaches no image registry: a root file
# system made by mmdebstrap from the mirror that this machine's apt is configured for, with this
# machine's apt sources inside, so that `RUN apt-get` works in a build.
#   base-image.sh OUT.tar
# Root file systems are cached by the caller. Logs name the mirror and are masked.
set -euo pipefail
suite=bookworm
out=${1:?usage: base-image.sh OUT.tar}
[ -s "$out" ] && exit 0
work=$(mktemp -d)
trap 'rm -rf "$work" "$out.part"' EXIT

host_suite=$(. /etc/os-release; echo "$VERSION_CODENAME")
if [ -f /etc/apt/sources.list.d/debian.sources ]; then
    sed -E "/^#/d; s/\\b$host_suite\\b/$suite/g; s/^Components:.*/Components: main/" \
        /etc/apt/sources.list.d/debian.sources > "$work/sources"
else
    awk -v from="$host_suite" -v to="$suite" '
        $1 == "deb" {
            i = 2
            if ($2 ~ /^\[/) { while ($i !~ /\]$/) i++; i++ }
            gsub(from, to, $(i + 1))
            printf "Types: deb\nURIs: %s\nSuites: %s\nComponents: main\n", $i, $(i + 1)
            printf "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n\n"
        }' /etc/apt/sources.list > "$work/sources"
fi

# Without documents the tarball is a third smaller; services must not start while being installed.
if ! mmdebstrap --quiet --mode=root --variant=minbase --format=tar \
        --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
        --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Languages "none"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        --customize-hook='rm -rf "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/* "$1"/etc/resolv.conf "$1"/var/lib/apt/lists/*' \
        --customize-hook="upload $work/sources /etc/apt/sources.list.d/debian.sources" \
        "$suite" "$out.part" "$work/sources" > "$work/log" 2>&1; then
    sed -E 's#[a-z+]+://[^ ]+#<URL>#g' "$work/log" | tail -30 >&2
    echo "base-image: mmdebstrap failed" >&2
    exit 1
fi
mv "$out.part" "$out"
