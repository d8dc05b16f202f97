# oi-supervisor and oi-bridge: two static programs. `make help` lists what can be asked for.
#
# FLAVOUR=musl (default) is the product: static-pie, stripped, build/oi-*.
# FLAVOUR=asan is for tests: glibc, ASan and UBSan, build/asan/oi-*.
# The C libraries are built first, once, by deps/build.sh. Sources are found by wildcard: a new file needs no edit here.

FLAVOUR ?= musl
WERROR ?= -Werror
MAKEFLAGS += --no-builtin-rules --no-print-directory
ifeq ($(filter -j% --jobs%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc)
endif
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:

# ---- flavours ----

OUT := build/$(FLAVOUR)
DEPS := build/deps/$(FLAVOUR)
ifeq ($(FLAVOUR),musl)
PRODUCTS := build
CC := $(DEPS)/bin/musl-gcc
CODEGEN := -Os -g -fPIE -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -fno-unwind-tables \
	-fstack-protector-strong -ffile-prefix-map=$(CURDIR)=.
# Relative relocations are packed (32 KB less in each program); musl's start code unpacks them.
LINKING := -static-pie -Wl,--gc-sections -Wl,-O1 -Wl,--build-id=none -Wl,-z,now -Wl,-z,relro -Wl,-z,pack-relative-relocs
else ifeq ($(FLAVOUR),asan)
PRODUCTS := build/asan
CC := gcc
CODEGEN := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LINKING := -fsanitize=address,undefined
else
$(error unknown FLAVOUR "$(FLAVOUR)": musl or asan)
endif

STRICT := -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 $(WERROR)
COMPILE = $(CC) $(STRICT) $(CODEGEN) $(CFLAGS) -I. -isystem $(DEPS)/include -MMD -MP
# What an idle program runs comes first, so that it is together: the kernel maps the pages around each touched one, and
# code of libgit2 or TLS between them would count as memory in use (0.4 MB of it).
LIBRARIES_ALWAYS_USED := -L$(DEPS)/lib -luv -lcjson -lc
LIBRARIES := -lgit2 -lhttp_parser -lwebsockets -lmbedtls -lmbedx509 -lmbedcrypto -lz -lpthread -lm

# ---- sources ----

FOLDERS := common git net supervisor bridge
sources = $(wildcard $1/*.c $1/*/*.c)
objects = $(patsubst %.c,$(OUT)/obj/%.o,$(filter-out %/main.c,$(call sources,$1)))
# libgit2's archive is libgit2.a; ours must not look like it.
archive = $(OUT)/lib$(patsubst git,oigit,$1).a
archives = $(foreach folder,$1,$(call archive,$(folder)))

# What a program of a folder is made of, in link order (architecture: layers).
LAYERS_common := common
LAYERS_git := git common
LAYERS_net := net common
LAYERS_supervisor := supervisor net git common
LAYERS_bridge := bridge net git common
LAYERS_all := supervisor bridge net git common

PROGRAMS := $(patsubst %/main.c,$(PRODUCTS)/oi-%,$(wildcard supervisor/main.c bridge/main.c))
UNIT_TESTS := $(patsubst tests/unit/%.c,$(OUT)/tests/%,$(wildcard tests/unit/*_test.c))
FUZZERS := $(patsubst tests/fuzz/%.c,$(OUT)/tests/%,$(wildcard tests/fuzz/*_fuzz.c))
REPLAY := $(if $(wildcard tests/vectors/replay.c),$(OUT)/tests/vector_replay)
VECTORS ?= tests/vectors/prompts tests/vectors/debts tests/vectors/traces

all: $(PROGRAMS) $(call archives,$(FOLDERS)) ## the two programs (FLAVOUR=musl or asan)

# ---- the C libraries ----

DEPS_READY := $(DEPS)/.ready
$(DEPS_READY): $(shell find deps -type f ! -name README.md)
	@deps/build.sh $(FLAVOUR)
	@touch $@

deps: $(DEPS_READY) ## only the C libraries

# ---- compiling and linking ----

$(OUT)/obj/%.o: %.c Makefile $(DEPS_READY)
	@mkdir -p $(@D)
	@echo "  cc    $<$(if $(filter asan,$(FLAVOUR)), (asan))"
	@$(COMPILE) -c $< -o $@

RUNTIME_VERSION = $(shell sed -n 's/.*"runtimeVersion": *"\([^"]*\)".*/\1/p' plugin/runtime_manifest.json)
$(OUT)/obj/common/version.o: VERSION plugin/runtime_manifest.json
$(OUT)/obj/common/version.o: CFLAGS += -DOI_VERSION='"$(shell cat VERSION)"' -DOI_RUNTIME_VERSION='"$(RUNTIME_VERSION)"'

# One archive a folder. The list of its objects is kept in a file, so that a removed source leaves the archive too.
define folder_rules
$(OUT)/$1.objects: FORCE
	@mkdir -p $$(@D)
	@echo '$(call objects,$1)' | cmp -s - $$@ || echo '$(call objects,$1)' >$$@
$(call archive,$1): $(call objects,$1) $(OUT)/$1.objects
	@rm -f $$@
	@ar rcsD $$@ $$(filter %.o,$$^)
endef
$(foreach folder,$(FOLDERS),$(eval $(call folder_rules,$(folder))))

# link OBJECTS, with the archives among the prerequisites; a group, because their order is the one of LIBRARIES_ALWAYS_USED.
LAYERS_RARELY_USED := %/libnet.a %/liboigit.a
link = $(CC) $(CODEGEN) $(LINKING) $(filter %.o,$^) -Wl,--start-group \
	$(filter-out $(LAYERS_RARELY_USED),$(filter %.a,$^)) $(LIBRARIES_ALWAYS_USED) \
	$(filter $(LAYERS_RARELY_USED),$(filter %.a,$^)) $(LIBRARIES) -Wl,--end-group -o $@

define program_rules
$(OUT)/oi-$1.unstripped: $(OUT)/obj/$1/main.o $(call archives,$(LAYERS_$1))
	@echo "  link  $$@"
	@$$(link)
endef
$(foreach folder,supervisor bridge,$(eval $(call program_rules,$(folder))))

# Moved into place: a test that is running keeps the program it started with.
ifeq ($(FLAVOUR),musl)
$(PRODUCTS)/oi-%: $(OUT)/oi-%.unstripped
	@strip -s $< -o $@.new && mv $@.new $@
else
$(PRODUCTS)/oi-%: $(OUT)/oi-%.unstripped
	@cp $< $@.new && mv $@.new $@
endif

# ---- test programs ----

# tests/unit/<folder>_*_test.c is linked with that folder and what is below it.
define unit_test_rules
$(filter $(OUT)/tests/$1_%,$(UNIT_TESTS)): $(OUT)/tests/%: $(OUT)/obj/tests/unit/%.o $(call archives,$(LAYERS_$1))
	@mkdir -p $$(@D)
	@$$(link)
endef
$(foreach folder,$(FOLDERS),$(eval $(call unit_test_rules,$(folder))))

$(FUZZERS): $(OUT)/tests/%: $(OUT)/obj/tests/fuzz/%.o $(OUT)/obj/tests/fuzz/replay_main.o $(call archives,$(LAYERS_all))
	@mkdir -p $(@D)
	@$(link)

$(REPLAY): $(patsubst %.c,$(OUT)/obj/%.o,$(wildcard tests/vectors/*.c)) $(call archives,$(LAYERS_bridge))
	@mkdir -p $(@D)
	@$(link)

# What deps/patches repair is tried with the libraries alone.
TLS_PROBE := $(OUT)/tests/tls_probe
$(TLS_PROBE): $(OUT)/obj/tests/deps/tls_probe.o
	@mkdir -p $(@D)
	@$(link)

test-programs: $(UNIT_TESTS) $(FUZZERS) $(REPLAY) $(TLS_PROBE)

# ---- what can be asked for ----

# OpenCode (npm, pinned) and the WebSocket server of the tests' control plane.
build/node/.installed: playground/package.json playground/install.mjs playground/npm.mjs
	@deps/tools.sh run
	@node playground/install.mjs
	@touch $@

# The runtime of Durable Objects, for the tests alone.
build/workerd/.installed: tests/durable-object/package.json tests/durable-object/install.mjs playground/npm.mjs
	@deps/tools.sh run
	@node tests/durable-object/install.mjs
	@touch $@

run: all build/node/.installed ## a real sandbox on this machine: type a prompt, watch it work
	@node playground/run.mjs

playground: build/node/.installed ## what a sandbox in a container needs around it (README)
	@node playground/serve.mjs

check: ## everything: lint, unit, library, vector, fuzz-corpus and system tests, both flavours
	@tests/run-check

check-unit: ## the C unit tests, both flavours
	@tests/run-check unit

vectors: $(REPLAY) ## replay recorded conversations: make vectors VECTORS=DIR
	@$(REPLAY) --repaired tests/vectors/repaired.json $(VECTORS)

fuzz: $(DEPS_READY) ## fuzz each target for FUZZ_SECONDS=60, or one: FUZZ=sse_parser (needs clang)
	@FUZZ="$(FUZZ)" FUZZ_SECONDS="$(FUZZ_SECONDS)" tests/run-fuzz

# Always under the sanitizers, unless OI_BRIDGE names another bridge.
chaos: build/node/.installed ## kill, cut and stall the bridge at random: make chaos SEED=7 [SCHEDULES=1000] [ONLY=123]
	@MAKEFLAGS= $(MAKE) -s FLAVOUR=asan build/asan/oi-bridge
	@node tests/chaos/run.mjs --seed "$(or $(SEED),1)" --schedules "$(or $(SCHEDULES),1000)" $(if $(ONLY),--only "$(ONLY)")

chaos-real: all build/node/.installed ## the same with the real supervisor and OpenCode, slowly: make chaos-real SEED=7 [SCHEDULES=5]
	@node tests/chaos/real.mjs --seed "$(or $(SEED),1)" --schedules "$(or $(SCHEDULES),5)" $(if $(ONLY),--only "$(ONLY)")

lint: ## layers, sizes, format
	@tests/lint/run

format: ## clang-format on all C files
	@clang-format -i $$(git ls-files '*.c' '*.h' ':!deps')

bench: all build/node/.installed ## start-up, relay latency, burst, memory and size
	@tests/bench/run

bench-git: all build/node/.installed ## clone and checkout against git clone --depth, over HTTPS
	@tests/bench/run git

clean: ## remove what was built, but not the C libraries and npm packages
	@rm -rf build/musl build/asan build/check build/fuzz build/oi-supervisor build/oi-bridge

distclean: ## remove the whole build folder
	@rm -rf build

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

FORCE:
.PHONY: all deps test-programs run playground check check-unit vectors fuzz chaos chaos-real lint format bench bench-git clean distclean help FORCE
.SECONDARY:

-include $(shell find $(OUT)/obj -name '*.d' 2>/dev/null)
