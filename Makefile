# `make test` runs all checks that a change must pass. It first looks for the programs that
# the tests need: see scripts/tools. The tests on a database run on MariaDB and
# again on MySQL, which is fetched from Debian and not installed.

export GOFLAGS := $(GOFLAGS) -buildvcs=false
export GOWORK := off
export SKIP_MISSING ?=
SECONDS_PER_FUZZ ?= 300
KILLS ?= 50

# The time limits are three times what a slow machine needs.
go_test = go test $$(scripts/tools has gcc && echo $(race)) -shuffle=on

# SQLite itself is C that was translated to Go. With the race detector in it, the tests of
# sqlitestore take ten times as long, and tell nothing about our code.
race = -race -gcflags=modernc.org/...=-race=false

.PHONY: test test-mysql test-cluster test-image lint fuzz bench bench-stores bench-copy bench-day bench-drivers bench-scale size run help

test: ## Run all checks that a change must pass; SKIP_MISSING=1 skips the tests whose programs are missing
	@scripts/tools
	@scripts/lint
	@scripts/fuzz 3
	@scripts/with-mariadb --fast scripts/each-module $(go_test) -timeout=40m ./...
	@if scripts/tools has mysqld; then $(MAKE) --no-print-directory test-mysql; fi

# On MySQL, the store's contract is checked with a host's pool and partitions only. All other tests use a
# pool of the store's own.
test-mysql: ## Run only the tests that need a database, on MySQL, fetched from Debian
	@scripts/with-mysql --fast $(go_test) -timeout=40m -skip='TestStoreHoldsTheContract/(a_pool_of_its_own|without_partitions)' ./mysqlstore ./internal/sqlstore ./internal/e2e ./internal/testmysql ./internal/testalerts ./internal/program ./storecopy

test-cluster: ## Kill nodes of clusters of Galera and Group Replication under load; KILLS (50) at random moments
	@LINKTRACK_TEST_MYSQLD=$$(scripts/fetch-mysql) LINKTRACK_TEST_KILLS=$(KILLS) go test -count=1 -timeout=2h -v ./internal/testcluster

test-image: ## Build the image of deploy/Dockerfile with buildah, as root, and run it
	@scripts/test-image

lint: ## Run gofmt, go vet, staticcheck and govulncheck
	@scripts/lint

fuzz: ## Run each fuzz target for SECONDS_PER_FUZZ (300)
	@scripts/fuzz $(SECONDS_PER_FUZZ)

bench: ## Compare a redirect and the real server with a bare one; BENCH has flags of scripts/bench-server
	@scripts/bench
	@scripts/bench-server $(BENCH)

bench-stores: ## Run the benchmarks of the stores
	@scripts/with-mariadb go test -run='^$$' -bench=. -benchmem -timeout=60m ./memstore ./sqlitestore ./mysqlstore

size: ## Measure calls and memory with a million links and 20 million clicks; SIZE has flags of scripts/bench-size
	@scripts/bench-size all $(SIZE)

bench-copy: ## Copy SQLite to MariaDB and back with 100,000 links and 2,000,000 clicks; COPY has flags of scripts/bench-copy
	@scripts/bench-copy $(COPY)

bench-day: ## Send SQLite 5,000,000 clicks of 100 days, of which 90 are kept; DAY has flags of scripts/bench-day
	@scripts/bench-day $(DAY)

bench-drivers: ## Compare drivers of SQLite; DRIVERS has flags of scripts/bench-drivers
	@scripts/bench-drivers $(DRIVERS)

bench-scale: ## Measure appends of many processes, the lag of counts, and deep indexes; SCALE has flags of scripts/bench-scale
	@scripts/bench-scale $(SCALE)

run: ## Run the program
	go run ./cmd/linktrack

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
