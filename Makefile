# `make test` is all that a change must pass. On Debian it installs what it
# lacks beside Go, make and git, when it may: gcc, mariadb-server, php-cli,
# chromium, zbar-tools and npm. The tests on a database run on MariaDB and again
# on MySQL; where MySQL cannot be had, it says so, and fails if CI=true.

export GOFLAGS := $(GOFLAGS) -buildvcs=false
export GOWORK := off
SECONDS_PER_FUZZ ?= 300

.PHONY: test test-mysql lint fuzz bench bench-stores size run

test:
	@scripts/install gcc
	@scripts/install php || true
	@scripts/install chromium || true
	@scripts/install zbar || true
	@scripts/install npm || true
	@scripts/lint
	@scripts/fuzz 5
	@scripts/with-mariadb --fast scripts/each-module go test -race -shuffle=on -timeout=12m ./...
	@if scripts/fetch-mysql >/dev/null; then $(MAKE) --no-print-directory test-mysql; else [ "$${CI:-}" != true ]; fi

# The tests of what runs on MySQL, on a real one, which is fetched from Debian.
test-mysql:
	@scripts/with-mysql --fast go test -race -shuffle=on -timeout=20m ./mysqlstore ./internal/testmysql ./internal/testalerts ./examples/standalone

lint:
	@scripts/lint

fuzz:
	@scripts/fuzz $(SECONDS_PER_FUZZ)

bench:
	@scripts/bench
	@scripts/bench-server $(BENCH)

bench-stores:
	@scripts/with-mariadb go test -run='^$$' -bench=. -benchmem -timeout=60m ./memstore ./mysqlstore

size:
	@scripts/bench-size all $(SIZE)

run:
	go run ./examples/standalone
