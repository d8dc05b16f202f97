#!/bin/bash
# Makes sure that the tools which the build needs are there: installs them when root, else says what to install.
# With "run" as argument it also asks for what `make run` uses, with "check" for what `make check` and `make lint` use.
set -euo pipefail

# make asks from several targets at once, and two apt-gets do not go together.
build=$(cd "$(dirname "$0")/.." && pwd)/build
mkdir -p "$build"
exec 7>"$build/.tools.lock"
flock 7

declare -A package_of=(
    [gcc]=gcc [ld]=binutils [cmake]=cmake [ninja]=ninja-build [patch]=patch [tar]=tar [xz]=xz-utils
    [bzip2]=bzip2 [gzip]=gzip [dpkg-deb]=dpkg [sha256sum]=coreutils
)
case ${1:-} in run | check) package_of+=([openssl]=openssl [git]=git [node]=nodejs [npm]=npm [ssh-keygen]=openssh-client) ;; esac
[ "${1:-}" != check ] || package_of+=([clang-format]=clang-format [file]=file [ip]=iproute2)

missing=()
for tool in "${!package_of[@]}"; do
    command -v "$tool" >/dev/null || missing+=("${package_of[$tool]}")
done
# Headers and the CA bundle have no command to look for.
[ -e /usr/include/stdio.h ] || missing+=(libc6-dev)
[ -e /usr/include/linux/if.h ] || missing+=(linux-libc-dev)
[ -e /etc/ssl/certs/ca-certificates.crt ] || missing+=(ca-certificates)

[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "deps: build tools are missing; as root: apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
fi
echo "deps: installing ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq -o DPkg::Lock::Timeout=600 --no-install-recommends "${missing[@]}" >/dev/null
