# SPDX-License-Identifier: Apache-2.0
# "make" alone prints what there is.

SHELL       := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help build test test-long demo lab lint generate verify packages tools bench bench-compile fuzz clean

# Static, without paths of the machine that builds it: the same commit gives
# the same bytes.
GOBUILD := CGO_ENABLED=0 go build -trimpath -ldflags '-s -w'
DEVTOOL := go tool -modfile=test/tools/dev/go.mod

help: ## print this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build bin/fairlead and bin/fairlead-agent
	$(GOBUILD) -o bin/ ./cmd/...

test: packages ## run everything that must hold (real API servers, real kernel; as root)
	@if [ "$$(id -u)" -eq 0 ]; then $(MAKE) --no-print-directory tools; else \
		echo "test: not root: what needs network namespaces is skipped, API servers included" >&2; fi
	$(DEVTOOL) gotestsum --format pkgname --format-hide-empty-pkg -- -timeout 15m ./...

test-long: ## compare what policies mean with what the objects do over many random fleets (FLEETS=10000 SEED=1)
	go test ./compiler/internal/simulate -run '^TestObjectsDoWhatPoliciesMean$$' -v -timeout 2h -fleets $(or $(FLEETS),10000) -seed $(or $(SEED),1)

demo: packages tools build ## see a push to git move packets between two clusters (KEEP=1 leaves it running)
	@go build -o bin/demo ./test/demo
	@bin/demo

lab: packages tools ## run clusters on this machine (CLUSTERS=2 NODES=1), until Ctrl-C
	@go build -o bin/lab ./test/lab/cmd/lab
	@bin/lab --clusters $(or $(CLUSTERS),2) --nodes $(or $(NODES),1)

lint: ## gofmt, go vet, staticcheck
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$unformatted" ] || { echo "not gofmt-ed: $$unformatted" >&2; exit 1; }
	go vet ./...
	$(DEVTOOL) staticcheck ./...

generate: ## write the generated files anew
	go generate ./schemas/...
	go run ./test/tools/docs .

verify: generate ## fail when a generated file is stale
	@git diff --exit-code --stat -- deploy/crds docs schemas || { echo "verify: commit what make generate wrote" >&2; exit 1; }
	@new=$$(git ls-files --others --exclude-standard -- deploy/crds docs schemas); [ -z "$$new" ] || { echo "verify: not committed: $$new" >&2; exit 1; }

packages: ## install the Debian packages that the tests use
	@test/tools/packages || [ "$$(id -u)" -ne 0 ]

tools: ## build the Kubernetes programs and control planes that the tests run (once)
	@go run ./test/tools/build >/dev/null

bench: packages tools ## run the benchmarks (as root, with nothing else running)
	go test -run '^$$' -bench . -benchmem ./...

bench-compile: ## print what the compiler costs, on two processors (with nothing else running)
	GOMAXPROCS=2 go test -run '^$$' -bench '^BenchmarkFigures$$' -benchtime 1x -timeout 30m ./compiler

fuzz: ## run every fuzz target with inputs that are made up (FUZZTIME=500x of them, or FUZZTIME=10m)
	@test/tools/fuzz $(or $(FUZZTIME),500x)

clean: ## remove what was built here
	rm -rf bin
