cmake_build -DBUILD_TESTING=OFF -DLIBUV_BUILD_SHARED=OFF
# CMake names the archive libuv_a.a in some versions.
[ -e "$prefix/lib/libuv.a" ] || cp "$prefix/lib/libuv_a.a" "$prefix/lib/libuv.a"
