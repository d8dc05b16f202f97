# What each library needs to be built first. build-library.sh decides whether there is anything to do.
build := $(abspath $(dir $(lastword $(MAKEFILE_LIST))))/build-library.sh $(FLAVOUR)

LIBRARIES = zlib http-parser cjson libuv mbedtls libwebsockets libgit2

all: $(LIBRARIES)

toolchain:
	@$(build) $@
zlib http-parser cjson libuv mbedtls: toolchain
	@$(build) $@
libwebsockets: libuv mbedtls
	@$(build) $@ $^
libgit2: zlib http-parser mbedtls
	@$(build) $@ $^

.PHONY: all toolchain $(LIBRARIES)
