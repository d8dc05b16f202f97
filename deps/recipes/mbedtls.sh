# Our configuration replaces the library's file, so that every user of the headers sees the same one.
cp "$here/config/mbedtls/mbedtls_config.h" include/mbedtls/mbedtls_config.h
cmake_build -DENABLE_TESTING=OFF -DENABLE_PROGRAMS=OFF -DUSE_SHARED_MBEDTLS_LIBRARY=OFF \
    -DUSE_STATIC_MBEDTLS_LIBRARY=ON -DMBEDTLS_FATAL_WARNINGS=OFF -DGEN_FILES=OFF
