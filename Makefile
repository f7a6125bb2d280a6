# Every target installs what it needs; `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

TOOLS := $(CURDIR)/.tools
# go-nvml includes headers that warn of their own deprecated parts.
export CGO_CFLAGS ?= -O2 -g -Wno-deprecated-declarations
export PATH := $(TOOLS):$(PATH)
# Versions are pinned by committed go.sum files: nothing may choose others.
GO_INSTALL = GOBIN=$(TOOLS) go -C tools/$(1) install -mod=readonly tool

CONFIG := configs/otelcol-llm.yaml

##@ Use
.PHONY: build
build: ## build bin/otelcol-llm (the first time takes about 8 minutes)
	@# The driver library of NVIDIA differs between versions: symbols must be
	@# bound when they are used, not at the start, whatever the linker's default.
	cd distribution && CGO_ENABLED=1 go build -mod=readonly -trimpath -ldflags '-s -w -extldflags=-Wl,-z,lazy' -o ../bin/otelcol-llm .

.PHONY: run
run: build ## watch this host with the production configuration, logs to a local Loki
	@tools/run.sh

.PHONY: demo
demo: build ## play a whole synthetic site, with a summary on the screen
	@tools/run.sh demo

DAYS := 30
.PHONY: history
history: ## write DAYS days of the synthetic site for a Prometheus on .state/prometheus (30 days: some 13 minutes)
	@# Where make demo has its files: they are labels.
	SYNTHETIC_DIR="$${SYNTHETIC_DIR:-$(CURDIR)/.state/synthetic}" go run ./cmd/history -days $(DAYS) -out .state/prometheus

##@ Check
.PHONY: test
test: $(TOOLS)/.build ## unit tests under the race detector, with coverage
	@rm -f bin/tests.json; mkdir -p bin
	gotestsum --format pkgname-and-test-fails --jsonfile bin/tests.json -- -race -shuffle=on -coverpkg=./cmd/...,./internal/...,./receiver/...,./processor/...,./connector/... -coverprofile=bin/coverage.out ./...
	@awk -f tools/coverage.awk bin/coverage.out

.PHONY: integration
integration: build $(TOOLS)/.build $(TOOLS)/.prometheus $(TOOLS)/.loki ## the built binary against real Prometheus, Loki and Docker
	@mkdir -p bin
	gotestsum --format testname --jsonfile bin/integration.json -- -tags integration -count=1 -p 1 -timeout 20m ./test/... ./internal/docker/

.PHONY: check
check: lint tidy-check generate-check distribution-check config-check ## all that must hold besides the tests

.PHONY: lint
lint: $(TOOLS)/.lint $(TOOLS)/.build ## go vet, golangci-lint, gofumpt
	go vet -tags integration ./...
	golangci-lint run ./...
	@test -z "$$(gofumpt -l $$(git ls-files '*.go' | grep -v -e generated_ -e ^distribution/))" || { gofumpt -l $$(git ls-files '*.go' | grep -v -e generated_ -e ^distribution/); echo 'run make fmt'; exit 1; }

.PHONY: bench
bench: build ## our receivers beside contrib's prometheusreceiver and docker_stats, and the parser beside expfmt
	go test -run '^$$' -bench . -benchmem ./internal/promtext/ ./receiver/vllmreceiver/
	go run ./test/bench
	go run ./test/bench -what docker
	go run ./test/bench -what litellm
	go run ./test/bench -what synthetic -endpoints 10,1000

.PHONY: tidy-check
tidy-check:
	go mod tidy -diff

.PHONY: generate-check
generate-check: generate
	@git diff --exit-code --stat -- receiver processor connector internal || { echo 'generated code was out of date: commit what make generate wrote'; exit 1; }

.PHONY: distribution-check
distribution-check: distribution
	@git diff --exit-code --stat -- distribution || { echo 'distribution/ differs from builder-config.yaml: commit what make distribution wrote'; exit 1; }

.PHONY: config-check
config-check: build ## every shipped configuration loads
	@for overlay in '' configs/overlays/*.yaml; do \
		echo "validate $(CONFIG) $$overlay"; \
		bin/otelcol-llm validate --config $(CONFIG) $${overlay:+--config $$overlay}; \
	done

##@ Change
.PHONY: fmt
fmt: $(TOOLS)/.lint ## format the code
	golangci-lint fmt ./...

.PHONY: generate
generate: $(TOOLS)/.build ## write code and reference pages from every metadata.yaml
	go generate ./...
	@chmod 644 $$(git ls-files -co --exclude-standard '*/generated_*.go' '*/metadatatest/*.go' '*/documentation.md') # mdatagen writes 0600

.PHONY: distribution
distribution: $(TOOLS)/.build ## write distribution/ from builder-config.yaml
	builder --config builder-config.yaml --skip-compilation --skip-strict-versioning=false

.PHONY: clean
clean: ## remove what was built, fetched and stored
	rm -rf bin .tools .state

.PHONY: help
help: ## this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# One stamp for each module of tools, made anew when its go.sum changes.
.PHONY: tools
tools: $(TOOLS)/.build $(TOOLS)/.lint $(TOOLS)/.prometheus $(TOOLS)/.loki
$(TOOLS)/.%: tools/%/go.mod tools/%/go.sum
	@mkdir -p $(TOOLS)
	@echo 'installing tools/$*'
	$(call GO_INSTALL,$*)
	@touch $@
