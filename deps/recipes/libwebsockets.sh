# A client only: WebSocket and HTTP/1.1 over TLS or not, on a foreign libuv loop. Names are resolved by us
# (uv_getaddrinfo, off the loop). Proxies (and their passwords: HTTP_BASIC_AUTH) are ours to choose, too: net/proxy.c;
# every vhost is told one, or none, so that lws does not look at the environment itself.
# Optimisation in CMAKE_BUILD_TYPE=None would be lws's own choice; CFLAGS stand.
# Without NDEBUG lws defines _DEBUG, and then closes every connection twice "to confirm that it has no problem": the
# second close comes before the Close frame was sent, which is then never sent.
CFLAGS+=" -DNDEBUG"
mbedtls_libraries="$prefix/lib/libmbedtls.a;$prefix/lib/libmbedx509.a;$prefix/lib/libmbedcrypto.a"
# It would put the commit of the git repository around it, which is ours, into its version.
cmake_build -DDISABLE_WERROR=ON -DCMAKE_DISABLE_FIND_PACKAGE_Git=ON -DLWS_BUILD_HASH=debian \
    -DLWS_WITH_STATIC=ON -DLWS_WITH_SHARED=OFF -DLWS_STATIC_PIC=OFF \
    -DLWS_WITH_LIBUV=ON -DLWS_WITH_EVLIB_PLUGINS=OFF -DLWS_LIBUV_LIBRARIES="$prefix/lib/libuv.a" \
    -DLWS_LIBUV_INCLUDE_DIRS="$prefix/include" \
    -DLWS_WITH_SSL=ON -DLWS_WITH_MBEDTLS=ON -DLWS_MBEDTLS_LIBRARIES="$mbedtls_libraries" \
    -DLWS_MBEDTLS_INCLUDE_DIRS="$prefix/include" -DMBEDTLS_LIBRARY="$prefix/lib/libmbedtls.a" \
    -DMBEDX509_LIBRARY="$prefix/lib/libmbedx509.a" -DMBEDCRYPTO_LIBRARY="$prefix/lib/libmbedcrypto.a" \
    -DLWS_WITHOUT_SERVER=ON -DLWS_WITHOUT_TESTAPPS=ON -DLWS_WITH_MINIMAL_EXAMPLES=OFF -DLWS_WITHOUT_DAEMONIZE=ON \
    -DLWS_WITH_HTTP2=OFF -DLWS_IPV6=ON -DLWS_UNIX_SOCK=ON -DLWS_WITHOUT_EXTENSIONS=ON -DLWS_WITH_ZLIB=OFF \
    -DLWS_WITH_TLS_SESSIONS=OFF -DLWS_WITH_CONMON=OFF -DLWS_WITH_NETLINK=OFF -DLWS_WITH_SYS_SMD=OFF \
    -DLWS_WITH_CACHE_NSCOOKIEJAR=OFF -DLWS_WITH_LEJP=OFF -DLWS_WITH_LEJP_CONF=OFF -DLWS_WITH_DIR=OFF \
    -DLWS_WITH_LWSAC=OFF -DLWS_ROLE_RAW_FILE=OFF -DLWS_WITH_HTTP_BASIC_AUTH=ON \
    -DLWS_WITH_EXPORT_LWSTARGETS=OFF -DLWS_CLIENT_HTTP_PROXYING=ON -DLWS_WITH_SYS_ASYNC_DNS=OFF \
    -DLWS_WITH_UDP=OFF
