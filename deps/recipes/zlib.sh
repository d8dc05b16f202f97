./configure --static --prefix="$prefix"
# Inflating is 40 % of a clone: -O2 makes that clone 5 % faster, for 4 KB.
case $flavour in musl) echo 'adler32.o inffast.o inflate.o inftrees.o: CFLAGS += -O2' >>Makefile ;; esac
make -j2 libz.a
make install >/dev/null
