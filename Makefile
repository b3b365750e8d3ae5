# SPDX-License-Identifier: Apache-2.0
# Verbs. Which files are built is in meson.build; which packages are needed, in tools/setup.sh.
.PHONY: help build test check tidy format fuzz crash cluster-test clickhouse-current bench bench-page bench-serve world soak run nightly package package-test docs
.DEFAULT_GOAL := help

help: ## print this list
	@sed -n 's/^\([a-z-]*\):.*## /\1 | /p' Makefile | awk -F ' [|] ' '{ printf "make %-18s %s\n", $$1, $$2 }'

build: ## build/oi, as ./run does
	@tools/setup.sh run
	@tools/build.sh run oi

test: ## everything of the default run, as ./test does
	@./test

check: ## format, layers, house rules, links, tidy
	@tools/check.sh

tidy: ## clang-tidy; its analyzer on the NEWEST=40 files that changed last, or with ALL=1 on all
	@ALL="$(ALL)" NEWEST="$(NEWEST)" tools/tidy.sh

format: ## let clang-format rewrite every C file
	@git ls-files -co --exclude-standard '*.c' '*.h' | xargs -r clang-format -i

fuzz: ## SECONDS=60 in all, NAME=decimal for one
	@tools/setup.sh test
	@tools/fuzz.sh "$(or $(SECONDS),60)" $(NAME)

crash: ## kill the writer at random points; ROUNDS=100 SEED=1
	@tools/build.sh release oi
	@tests/crash/run.sh build-release/oi "$(or $(ROUNDS),100)" "$(or $(SEED),$(shell date +%s))"

cluster-test: ## ClickHouse's cluster, killed process by process under load; ROUNDS=1 SEED=1 SHARDS=2
	@tools/build.sh release oi
	@tests/cluster/run.sh build-release/oi "$(or $(ROUNDS),1)" "$(or $(SEED),$(shell date +%s))" "$(or $(SHARDS),2)"

clickhouse-current: ## the store and its system tests over a current ClickHouse, from npm
	@tools/setup.sh test
	@tools/build.sh debug
	@tests/current/run.sh build-debug

bench: ## oi and other engines on the same rows; SCALE=0.05 BENCH_INSTALL=1 ARGS="--only SQLite"
	@tools/setup.sh run
	@tools/build.sh run oi bench
	@tests/bench/run.py --scale "$(or $(SCALE),1)" $(if $(BENCH_INSTALL),--install) $(ARGS)

bench-page: ## how smoothly the page pans through a year, how soon 12,000 markets are there, two minutes
	@tools/setup.sh test
	@tools/build.sh release oi
	@OI_BINARY=build-release/oi node tests/bench/page_pan.mjs
	@OI_BINARY=build-release/oi node tests/bench/page_overview.mjs

bench-serve: ## the server against an epoll loop and other engines' servers, six minutes; into docs/benchmarks.md
	@tools/setup.sh run
	@tools/build.sh run oi bench
	@tests/bench/serve.py --page docs/benchmarks.md $(ARGS)

world: ## a minute of 12,000 markets, and how fast each exchange's replies are read
	@tools/setup.sh run
	@tools/build.sh run bench
	@build/tests/bench/world_bench parse
	@folder=$$(mktemp -d) && build/tests/bench/world_bench minute "$$folder/store"; rm -rf "$$folder"

soak: ## collector and simulator, a week in twenty minutes; MINUTES=10080 SECONDS=1260 SEED=1
	@tools/setup.sh test
	@tools/build.sh release tests/collector_week_contract_test
	@OI_TEST_MINUTES="$(or $(MINUTES),10080)" OI_SOAK_SECONDS="$(or $(SECONDS),1260)" \
		OI_TEST_SEED="$(or $(SEED),1)" build-release/tests/collector_week_contract_test

run: ## build and start the server; ARGS="--demo"
	@./run $(ARGS)

docs: ## the documents as a site of files, into build-docs; the server has the same at /docs/
	@tools/setup.sh run
	@tools/docs.py --output build-docs

package: ## a Debian package and a relocatable tarball, into build-package/packages
	@tools/setup.sh package
	@tools/build.sh package oi
	@tools/package.sh deb tarball

package-test: package ## install, start, upgrade, remove and purge them in a clean Debian; needs root
	@tests/package/run.sh

nightly: ## what does not fit into the default run
	@tools/nightly.sh
