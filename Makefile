# Everything a developer or a user runs. The two that matter first: make demo, make test.

GO          ?= go
STATICCHECK  = honnef.co/go/tools/cmd/staticcheck@v0.8.2
VERSION     ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
BUILD        = $(GO) build -ldflags "-s -w -X main.version=$(VERSION)"

# One set of flags for everything but the race detector, so that nothing large is compiled twice.
export CGO_ENABLED = 0
export GOFLAGS := $(strip $(shell $(GO) env GOFLAGS) -trimpath)

# The race detector needs a C compiler.
HAVE_CC := $(shell command -v $$($(GO) env CC) >/dev/null 2>&1 && echo yes)
RACE     = $(if $(HAVE_CC),CGO_ENABLED=1 $(GO) test -race,$(GO) test)

.PHONY: all build kubelab test test-go test-kubelab test-node test-crash test-chaos test-providers demo demo-stop bench lint clean

all: build

build: ## bin/krake, bin/rok and bin/krake-volume, static; bin/krakectl is rok under its former name
	$(BUILD) -o bin/krake ./cmd/krake
	$(BUILD) -o bin/rok ./cmd/rok
	$(BUILD) -o bin/krake-volume ./cmd/krake-volume
	ln -sf rok bin/krakectl

kubelab: ## bin/kubelab: real Kubernetes for tests and the demo; 10 to 15 minutes the first time
	@$(GO) -C tools/kubelab run ./build -o "$(CURDIR)/bin/kubelab"

test: kubelab test-go test-kubelab ## all tests on real servers; see CONTRIBUTING.md for how long each takes

test-go: build
	$(if $(HAVE_CC),,@echo "No C compiler found: the tests run without the race detector.")
	$(RACE) -timeout 20m ./...

test-kubelab:
	KUBELAB_BIN="$(CURDIR)/bin/kubelab" $(GO) -C tools/kubelab test -timeout 10m ./...

test-node: build kubelab ## real nodes: containers that run and answer; needs root, installs Debian packages
	@tools/kubelab/install-packages
	KUBELAB_BIN="$(CURDIR)/bin/kubelab" $(GO) -C tools/kubelab test -tags node -timeout 10m -count 1 -v -run RealNode ./test
	$(GO) test -tags node -timeout 30m -count 1 -v ./test/node

test-crash: kubelab ## kills the server at least 200 times while applications come, change, move and go
	$(GO) test -tags crash -timeout 40m -count 1 -v ./test/crash

test-chaos: ## kills and stops API servers and members of their etcd cluster under a load of writes
	$(GO) test -tags chaos -timeout 10m -count 1 -v ./test/chaos

test-providers: kubelab ## metrics from a real Prometheus, which has to be installed, and an application that they move
	$(GO) test -tags providers -timeout 10m -count 1 -v -run Real ./internal/metrics/... ./test/e2e

demo: build kubelab ## two clusters, Krake, and an application that moves between them
	@$(GO) run ./examples/demo .demo

demo-stop: ## ends what the demo left running
	@$(GO) run ./examples/demo stop .demo

bench: build kubelab ## figures for docs/benchmarks.md
	$(GO) run ./test/bench

lint:
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$unformatted" ]; then echo "gofmt: $$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) vet -tags failpoint,crash,chaos,node,providers ./...
	$(GO) run $(STATICCHECK) ./...
	$(GO) run $(STATICCHECK) -tags node,chaos ./test/node ./test/chaos
	$(GO) -C tools/kubelab vet -tags node ./...
	cd tools/kubelab && $(GO) run $(STATICCHECK) -tags node ./...

clean:
	rm -rf bin
