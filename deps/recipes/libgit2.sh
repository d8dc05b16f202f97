# HTTPS by the same mbedTLS; no ssh, no NTLM, no Kerberos. CERT_LOCATION must exist when this is configured; it can be
# overridden at run time.
cmake_build -DBUILD_CLI=OFF -DBUILD_TESTS=OFF -DUSE_SSH=OFF -DUSE_HTTPS=mbedTLS -DUSE_SHA1=CollisionDetection \
    -DUSE_SHA256=mbedTLS -DUSE_HTTP_PARSER=http-parser -DREGEX_BACKEND=regcomp -DUSE_BUNDLED_ZLIB=OFF \
    -DUSE_THREADS=ON -DUSE_NTLMCLIENT=OFF -DUSE_GSSAPI=OFF -DENABLE_REPRODUCIBLE_BUILDS=ON \
    -DCERT_LOCATION=/etc/ssl/certs/ca-certificates.crt
