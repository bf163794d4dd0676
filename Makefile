# What there is to do: `make help`.
# Every target installs or builds what it needs; Go, git and make are enough.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
FUZZTIME ?= 30s

help: ## Say what each target does
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## Build bin/infra
	go build -ldflags '-X main.version=$(VERSION)' -o bin/infra ./cmd/infra
	@echo "built bin/infra $(VERSION)"

demo: ## Show the whole way on a real control plane (KEEP=1 leaves it running, DEMO_KUBECONFIG=F uses that cluster)
	@cd test && go run ./demo $(if $(KEEP),--keep) $(if $(DEMO_KUBECONFIG),--kubeconfig '$(abspath $(DEMO_KUBECONFIG))')

test: controlplane ## Run all tests, on a real control plane and with a real git and Helm
	go test -count=1 . # it asks the go command, of which the test cache knows nothing
	go test -timeout 30m ./...
	cd test && go test -count=1 -timeout 30m -p 1 ./... # it builds infra itself, of which the test cache knows nothing

controlplane: ## Build the control plane, Helm and kubectl for the tests, once
	@cd test && go run ./controlplane/get

race: controlplane ## Run what has goroutines under the race detector (needs a C compiler)
	go test -race -short -timeout 30m ./api/... ./repo/... ./server/... ./connector/... # what starts hundreds of gits has run without it
	cd test && go test -race -timeout 30m -p 1 ./connector/...

lint: ## Check formatting, vet and golangci-lint
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$unformatted" ] || { echo "not gofmt-ed: $$unformatted"; exit 1; }
	go build -C test/lint -o $(CURDIR)/bin/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	bin/golangci-lint run ./...
	cd test && ../bin/golangci-lint run --config ../.golangci.yaml ./...

fuzz: ## Fuzz every target for FUZZTIME (30s)
	@for package in $$(go list ./...); do \
	  for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
	    echo "fuzzing $$package $$target for $(FUZZTIME)"; \
	    go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package; \
	  done; \
	done

bench: ## Measure what the documentation claims, on real parts
	go test -run '^$$' -bench . -benchmem ./...

bench-quick: ## Run every benchmark once, to see that it works
	go test -run '^$$' -bench . -benchtime 1x ./...

clean: ## Remove bin/
	rm -rf bin

.PHONY: help build demo test controlplane race lint fuzz bench bench-quick clean
