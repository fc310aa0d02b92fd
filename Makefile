# What each target does: `make help`.
SHELL := /bin/bash
.DEFAULT_GOAL := build

DEPS   := $(or $(realpath .deps),$(CURDIR)/.deps)
GOARCH := $(shell go env GOARCH)
PREFIX ?= /usr/local

TFLITE_TAGS := tflite
OPENCV_TAGS := opencv customenv gocv_specific_modules gocv_videoio

# One environment for every cgo package; --as-needed keeps OpenCV out of edged.
export CGO_CFLAGS   := -g -O2 -I$(DEPS)/tflite/include
export CGO_CPPFLAGS := -I/usr/include/opencv4
export CGO_LDFLAGS  := -L$(DEPS)/tflite/linux_$(GOARCH) -Wl,--as-needed -ltensorflowlite_c \
  -lopencv_core -lopencv_imgproc -lopencv_imgcodecs -lopencv_videoio \
  -Wl,-rpath,$$ORIGIN/../.deps/tflite/linux_$(GOARCH) -Wl,-rpath,$$ORIGIN/../lib/edged
export LD_LIBRARY_PATH := $(DEPS)/tflite/linux_$(GOARCH)$(if $(LD_LIBRARY_PATH),:$(LD_LIBRARY_PATH))
export DEPS

.PHONY: help deps deps-test build test demo install env clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

deps: ## fetch what edged is built from (Debian packages, the TFLite C library)
	@internal/setup/deps.sh build

deps-test: ## fetch what the tests need too
	@internal/setup/deps.sh test

build: deps ## build bin/edged and bin/edged-camera
	go build -tags "$(TFLITE_TAGS)" -o bin/edged ./cmd/edged
	go build -tags "$(OPENCV_TAGS)" -o bin/edged-camera ./cmd/edged-camera

test: deps-test ## install what is missing and run every test
	@internal/setup/test.sh

demo: build ## see it work: a scene, a model, a broker and a page (ARGS="--seconds 20" ends by itself)
	bin/edged demo $(ARGS)

env: ## print the environment for running go by hand: eval "$$(make -s env)"
	@for v in CGO_CFLAGS CGO_CPPFLAGS CGO_LDFLAGS LD_LIBRARY_PATH DEPS; do printf "export %s='%s'\n" "$$v" "$${!v}"; done

clean: ## remove what was built; .deps stays
	rm -rf bin dist
