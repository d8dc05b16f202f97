# Our configuration replaces the library's file, so that every user of the headers sees the same one.
cp "$here/config/mbedtls/mbedtls_config.h" include/mbedtls/mbedtls_config.h
# A handshake's time is the arithmetic of elliptic curves: a third less of it for 7 KB in each program.
[ "$flavour" != musl ] || cat >>library/CMakeLists.txt <<'END'
set_source_files_properties(bignum.c bignum_core.c ecp_curves.c PROPERTIES COMPILE_OPTIONS -O2)
END
cmake_build -DENABLE_TESTING=OFF -DENABLE_PROGRAMS=OFF -DUSE_SHARED_MBEDTLS_LIBRARY=OFF \
    -DUSE_STATIC_MBEDTLS_LIBRARY=ON -DMBEDTLS_FATAL_WARNINGS=OFF -DGEN_FILES=OFF
