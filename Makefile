# What each target does: `make help`.
SHELL := /bin/bash
.DEFAULT_GOAL := build

DEPS   := $(or $(realpath .deps),$(CURDIR)/.deps)
# Without Go the machine's own: `make install`, as root, needs none.
GOARCH := $(or $(shell go env GOARCH 2>/dev/null),$(shell dpkg --print-architecture 2>/dev/null))
PREFIX ?= /usr/local
# Where programs are built and taken from; packages are built elsewhere.
OUT    ?= .

TFLITE_TAGS := tflite
OPENCV_TAGS := opencv customenv gocv_specific_modules gocv_videoio

# One environment for every cgo package; --as-needed keeps OpenCV out of edged.
export CGO_CFLAGS   := -g -O2 -I$(DEPS)/tflite/include
export CGO_CPPFLAGS := -I$(SYSROOT)/usr/include/opencv4
export CGO_LDFLAGS  := -L$(DEPS)/tflite/linux_$(GOARCH) -Wl,--as-needed -ltensorflowlite_c \
  -lopencv_core -lopencv_imgproc -lopencv_imgcodecs -lopencv_videoio
# Another machine's OpenCV, for packages: packaging/stage.sh says where. What its
# libraries need of each other that machine finds.
ifdef SYSROOT
LIBS := $(SYSROOT)/usr/lib/$(TRIPLET)
CGO_LDFLAGS += -L$(LIBS) -Wl,-rpath-link,$(LIBS) -Wl,--allow-shlib-undefined
endif
export LD_LIBRARY_PATH := $(DEPS)/tflite/linux_$(GOARCH)$(if $(LD_LIBRARY_PATH),:$(LD_LIBRARY_PATH))
export DEPS

.PHONY: help need-go deps deps-test build test test-arm64 test-faults test-brokers eval experiment test-tune test-runtimes test-page test-node-red test-deb test-board soak test-systemd fuzz deb dist train \
  speed instructions demo demo-says install install-programs install-files uninstall env clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/; s/\$$\$$/$$/' | expand -t 14

need-go:
	@internal/setup/go.sh

deps: need-go ## fetch what edged is built from (Debian packages, the TFLite C library)
	@internal/setup/deps.sh build

deps-test: need-go ## fetch what the tests need too
	@internal/setup/deps.sh test

# `edged version` tells the revision wherever git can, whatever GOFLAGS says;
# a tree without git, or one that git will not read, builds all the same.
VCS = $(if $(shell git status --porcelain >/dev/null 2>&1 && echo yes),-buildvcs=true)

# Programs that attackers find at no fixed address (PIE) and with no table to
# write into (RELRO, BIND_NOW). They look for the TFLite library in ../lib/edged
# alone, where an installed one is; in the checkout a link stands there.
HARDEN = -buildmode=pie -ldflags '$(LINK) -bindnow -extldflags "-Wl,-z,relro,-z,now,-rpath,$$ORIGIN/../lib/edged"'

build: deps ## build bin/edged and bin/edged-camera
	@mkdir -p $(OUT)/lib/edged && ln -sfn $(DEPS)/tflite/linux_$(GOARCH)/libtensorflowlite_c.so $(OUT)/lib/edged/libtensorflowlite_c.so
	go build $(VCS) $(HARDEN) -tags "$(TFLITE_TAGS)" -o $(OUT)/bin/edged ./cmd/edged
	go build $(HARDEN) -tags "$(OPENCV_TAGS)" -o $(OUT)/bin/edged-camera ./cmd/edged-camera

test: deps-test ## install what is missing and run every test
	@internal/setup/test.sh

test-arm64: deps-test ## both engines' suites and the rewriter's for arm64, in an emulator (about 15 minutes)
	@internal/setup/test-arm64.sh

test-faults: deps-test build ## every fault scenario against the built programs, three times each, and ten minutes of chaos on the link (under 60 minutes)
	EDGED_FAULTS=1 EDGED_BIN=$(CURDIR)/bin go test -tags faults -count 1 -timeout 70m -v -skip TestSoak $(FAULTS) ./internal/faults

test-brokers: build ## one day at a line with mosquitto, mochi, aedes and a NATS cluster that loses a node; Node-RED listens too (about 3 minutes)
	@internal/setup/deps.sh brokers
	EDGED_BIN=$(CURDIR)/bin DEPS=$(DEPS) go test -tags "faults brokers" -count 1 -timeout 20m -v -run 'TestBrokers' $(FAULTS) ./internal/faults

test-tune: build ## edged tune with PyTorch: the changed scene, the way back, the proof (python3-torch is installed; about 10 minutes)
	@internal/setup/deps.sh torch
	nice go test -tags "$(TFLITE_TAGS) torch" -count 1 -timeout 60m -v -run 'TestTuneOn' ./cmd/edged

test-runtimes: deps-test ## bundled nets, npm's and 50 random ones, dense and not, on LiteRT.js (fetched from npm) against both engines (about a minute)
	@internal/setup/deps.sh runtimes
	go test -tags "tflite runtimes" -count 1 -timeout 20m -v ./internal/runtimes

test-v4l2: build ## V4L2 cameras: Debian's kernel with its virtual camera in an emulated machine, the programs inside (about 5 minutes)
	@internal/setup/v4l2.sh $(V4L2)

eval: build ## the tables and drawings of train/nets/EVAL.md anew (an hour and more; PATCHES=2000 looks at fewer single patches)
	@internal/setup/eval.sh $(OUT)/bin/edged

experiment: ## what a dense net learns from 1, 4 and 16 frames of a changed scene, into train/experiment/TABLE.md (EXPERIMENT=-full: 1 to 32, five seeds)
	@internal/setup/deps.sh torch
	nice -n 10 go run ./train/experiment $(EXPERIMENT)

test-page: deps-test build ## the page in Debian's Chromium: every state, keyboard, accessibility (SHOTS=DIR keeps pictures)
	PAGE=whole EDGED_BIN=$(CURDIR)/bin SHOTS=$(abspath $(SHOTS)) node --test --test-concurrency=1 internal/page/browser/

test-node-red: deps-test ## the shipped Node-RED flow in Node-RED (fetched from npm), with a broker and a PLC's socket
	npm install --silent --no-audit --no-fund --ignore-scripts --no-package-lock --prefix $(DEPS)/node-red node-red@4.0.9
	node --test packaging/

SOAK ?= 30m
soak: deps-test build ## five cameras for SOAK (30m), two at full load, one triggered, one GigE, a folder: memory slope, goroutines, descriptors, ledger
	EDGED_SOAK=$(SOAK) EDGED_BIN=$(CURDIR)/bin go test -tags faults -count 1 -timeout 24h -v -run TestSoak ./internal/faults

test-systemd: build ## boot a real systemd in a container and run the service in it (root)
	@systemd/boot.sh

demo: demo-says build ## see it work: a scene, a model, a broker and a page (ARGS="--seconds 20" ends by itself)
	bin/edged demo $(ARGS)

# Said before anything is fetched or built, which takes minutes the first time.
demo-says:
	@echo "demo: fetches what is missing (about 3 minutes, the first time), builds (about 2), then runs edged demo; Ctrl-C ends it"

DEBS ?= amd64 arm64 armhf
deb: need-go ## Debian packages in dist/ for DEBS (amd64 arm64 armhf), cross-built
	@packaging/deb.sh $(DEBS)

dist: need-go ## tarballs in dist/ with their checksums: the programs for amd64 and arm64, and the Go engine alone, static
	@packaging/dist.sh

test-deb: ## install the package in a minimal Debian 12 that boots: masks arrive, upgrade, purge (root)
	@packaging/test.sh

test-board: ## boot an emulated arm64 board that installs and runs the package: camera, broker, power cuts, upgrade, purge (root; slow)
	@packaging/board.sh

# A system's own files go below SYSCONFDIR; the rest below PREFIX, where systemd
# looks too when PREFIX is /usr or /usr/local.
SYSCONFDIR ?= /etc
INSTALL    := install -D -m 644
SHARE      := $(DESTDIR)$(PREFIX)/share/edged

install: install-programs install-files ## place what `make build` has built below DESTDIR and PREFIX

install-programs:
	@test -x $(OUT)/bin/edged -a -x $(OUT)/bin/edged-camera || { echo "install: bin/edged or bin/edged-camera is missing: run 'make build' first" >&2; exit 1; }
	install -D -m 755 $(OUT)/bin/edged $(DESTDIR)$(PREFIX)/bin/edged
	install -D -m 755 $(OUT)/bin/edged-camera $(DESTDIR)$(PREFIX)/bin/edged-camera
	$(INSTALL) $(DEPS)/tflite/linux_$(GOARCH)/libtensorflowlite_c.so $(DESTDIR)$(PREFIX)/lib/edged/libtensorflowlite_c.so

install-files:
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed 's|/usr/local/bin/|$(PREFIX)/bin/|' systemd/edged.service >$(DESTDIR)$(PREFIX)/lib/systemd/system/edged.service
	chmod 644 $(DESTDIR)$(PREFIX)/lib/systemd/system/edged.service
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system/edged.service.d
	printf '[Service]\n# Of the machine: make install wrote it. Change it with systemctl edit edged.\nMemoryMax=75%%\n' >$(DESTDIR)$(PREFIX)/lib/systemd/system/edged.service.d/memory.conf
	chmod 644 $(DESTDIR)$(PREFIX)/lib/systemd/system/edged.service.d/memory.conf
	$(INSTALL) systemd/edged.path $(DESTDIR)$(PREFIX)/lib/systemd/system/edged.path
	$(INSTALL) systemd/sysusers.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d/edged.conf
	$(INSTALL) systemd/modules-load.conf $(DESTDIR)$(PREFIX)/lib/modules-load.d/edged.conf
	$(INSTALL) internal/config/sample.toml $(DESTDIR)$(SYSCONFDIR)/edged/edged.toml.sample
	$(INSTALL) NOTICE $(DESTDIR)$(PREFIX)/share/doc/edged/NOTICE
	$(INSTALL) LICENSE $(DESTDIR)$(PREFIX)/share/doc/edged/LICENSE
	for f in mqtt/schema/*.json; do $(INSTALL) $$f $(SHARE)/schema/$${f##*/}; done
	$(INSTALL) systemd/csi.conf $(SHARE)/csi.conf
	$(INSTALL) packaging/grafana-dashboard.json $(SHARE)/grafana-dashboard.json
	$(INSTALL) packaging/prometheus-alerts.yml $(SHARE)/prometheus-alerts.yml
	$(INSTALL) packaging/node-red-flow.json $(SHARE)/node-red-flow.json

uninstall: ## remove what `make install` placed; edged.toml and the state folder stay
	rm -f $(DESTDIR)$(PREFIX)/bin/edged $(DESTDIR)$(PREFIX)/bin/edged-camera
	rm -f $(DESTDIR)$(PREFIX)/lib/edged/libtensorflowlite_c.so
	rm -f $(DESTDIR)$(PREFIX)/lib/systemd/system/edged.service $(DESTDIR)$(PREFIX)/lib/systemd/system/edged.path $(DESTDIR)$(PREFIX)/lib/systemd/system/edged.service.d/memory.conf
	rm -f $(DESTDIR)$(PREFIX)/lib/sysusers.d/edged.conf $(DESTDIR)$(PREFIX)/lib/modules-load.d/edged.conf
	rm -f $(DESTDIR)$(SYSCONFDIR)/edged/edged.toml.sample
	rm -f $(DESTDIR)$(PREFIX)/share/doc/edged/NOTICE $(DESTDIR)$(PREFIX)/share/doc/edged/LICENSE
	rm -f $(SHARE)/csi.conf $(SHARE)/grafana-dashboard.json $(SHARE)/prometheus-alerts.yml $(SHARE)/node-red-flow.json
	for f in mqtt/schema/*.json; do rm -f $(SHARE)/schema/$${f##*/}; done
	for d in $(SHARE)/schema $(SHARE) $(DESTDIR)$(PREFIX)/share/doc/edged $(DESTDIR)$(PREFIX)/lib/systemd/system/edged.service.d $(DESTDIR)$(PREFIX)/lib/edged $(DESTDIR)$(SYSCONFDIR)/edged; do if test -d $$d; then rmdir --ignore-fail-on-non-empty $$d; fi; done

FUZZ ?= 60m
fuzz: deps ## every fuzz target shares FUZZ (60m); a finding stays in its package's testdata/fuzz
	@internal/setup/fuzz.sh $(FUZZ) $(NAME)

train: deps ## make the bundled nets again (needs python3-torch; about ten minutes of one core)
	go run -tags tflite ./train

speed: build deps-test ## compare the engines on the nets of docs/speed.md, interleaved in one run
	@internal/benchnets/speed.sh

instructions: build deps-test ## count both engines' instructions on an emulated CPU: with AVX-512 (STEPS=1: by step), or ARCH=arm64 (NETS="...")
	@internal/benchnets/instructions$(if $(ARCH),_$(ARCH)).sh $(NETS)

env: ## print the environment for running go by hand: eval "$$(make -s env)"
	@for v in CGO_CFLAGS CGO_CPPFLAGS CGO_LDFLAGS LD_LIBRARY_PATH DEPS; do printf "export %s='%s'\n" "$$v" "$${!v}"; done

clean: ## remove what was built; .deps stays
	rm -rf bin dist lib
