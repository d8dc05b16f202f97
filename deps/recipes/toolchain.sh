# musl 1.2.5 in a private prefix, and musl-gcc: the machine's gcc with musl's headers, start files and libc.
# Debian 12's own musl 1.2.3 cannot be used: its gcc specs turn -static-pie into a dynamic program without a word.
[ "$flavour" = musl ] || return 0

case $(uname -m) in x86_64) machine=amd64 ;; aarch64) machine=arm64 ;; esac
package=$(awk -v kind="$machine" '$1 == "musl" && $2 == kind { n = split($5, p, "/"); print p[n] }' "$here/manifest")
root=$prefix/musl
rm -rf "$root"
dpkg-deb -x "$DEPS_DOWNLOADS/$package" "$root"

specs=$(find "$root" -name musl-gcc.specs)
sed -i -e "s|/usr/include/|$root/usr/include/|g" -e "s|/usr/lib/|$root/usr/lib/|g" "$specs"

# The specs hide all of /usr/include; the kernel's headers are wanted from there, and nothing else.
kernel=$root/kernel-headers
mkdir -p "$kernel"
multiarch=$(gcc -print-multiarch)
for folder in linux asm-generic mtd; do ln -s "/usr/include/$folder" "$kernel/$folder"; done
if [ -d "/usr/include/$multiarch/asm" ]; then
    ln -s "/usr/include/$multiarch/asm" "$kernel/asm"
else
    ln -s /usr/include/asm "$kernel/asm"
fi

cat >"$prefix/bin/musl-gcc" <<EOF
#!/bin/sh
exec gcc "\$@" -specs "$specs" -idirafter "$kernel"
EOF
chmod +x "$prefix/bin/musl-gcc"
