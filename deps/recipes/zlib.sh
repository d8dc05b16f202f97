./configure --static --prefix="$prefix"
make -j2 libz.a
make install >/dev/null
