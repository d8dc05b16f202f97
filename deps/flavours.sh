# Sourced by build-library.sh: the compiler and the flags of $flavour, and how CMake is called. Needs $prefix and $work.

case $flavour in
    musl)
        export CC=$prefix/bin/musl-gcc
        # No unwind tables: nothing here unwinds, and they are a fifth of the size.
        export CFLAGS="-Oz -fPIE -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -fno-unwind-tables"
        export LDFLAGS="-static-pie -Wl,--gc-sections"
        ;;
    asan)
        export CC=gcc
        # sha1dc reads unaligned words on purpose; UBSan would report it.
        export CFLAGS="-O1 -g -fsanitize=address,undefined -fno-omit-frame-pointer -DSHA1DC_FORCE_ALIGNED_ACCESS"
        export LDFLAGS="-fsanitize=address,undefined"
        ;;
    *)
        echo "deps: unknown flavour $flavour (musl, asan)"
        exit 1
        ;;
esac
# Same input, same bytes: no build path in the objects, no time stamp in the archives.
CFLAGS+=" -ffile-prefix-map=$work=$library -ffile-prefix-map=$prefix=deps"
export AR=gcc-ar RANLIB=gcc-ranlib ARFLAGS=rcD SOURCE_DATE_EPOCH=0
# The flavour's tools may report leaks of the configure step's own programs.
export ASAN_OPTIONS=detect_leaks=0

# cmake_build [OPTION...]: configure, build and install $work.
cmake_build() {
    cmake -G Ninja -S "$work" -B "$work/.build" \
        -DCMAKE_C_COMPILER="$CC" -DCMAKE_AR="$(command -v gcc-ar)" -DCMAKE_RANLIB="$(command -v gcc-ranlib)" \
        -DCMAKE_BUILD_TYPE=None -DBUILD_SHARED_LIBS=OFF \
        -DCMAKE_INSTALL_PREFIX="$prefix" -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_INSTALL_DATADIR=share \
        -DCMAKE_FIND_ROOT_PATH="$prefix" -DCMAKE_FIND_ROOT_PATH_MODE_PROGRAM=NEVER \
        -DCMAKE_FIND_ROOT_PATH_MODE_LIBRARY=ONLY -DCMAKE_FIND_ROOT_PATH_MODE_INCLUDE=ONLY \
        -DCMAKE_FIND_ROOT_PATH_MODE_PACKAGE=ONLY -DCMAKE_FIND_LIBRARY_SUFFIXES=.a \
        -DCMAKE_EXE_LINKER_FLAGS_INIT="$LDFLAGS" "$@"
    ninja -C "$work/.build" install
}

# archive NAME FILE.c: a library of one source file.
archive() {
    # shellcheck disable=SC2086
    $CC $CFLAGS $3 -c "$2" -o one.o
    $AR $ARFLAGS "$prefix/lib/lib$1.a" one.o
}
