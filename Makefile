# Everything that a contributor runs; each target installs what it needs first and says so.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

# Where cargo builds; set it to share one folder between checkouts.
export CARGO_TARGET_DIR ?= $(CURDIR)/target

# The demonstration of `make run`.
DEMO := out/demo
DEMO_WORKLOADS ?= 1200
# The demonstration that the browser tests read, built without optimisation since tests are.
TEST_DEMO := out/test

# What stands in for platforms in tests; a test says so where one is missing.
export ENTENTE_VCSIM ?= $(CURDIR)/out/peers/bin/vcsim
export ENTENTE_GOVC ?= $(CURDIR)/out/peers/bin/govc
export ENTENTE_PYTHON ?= $(CURDIR)/out/peers/python/bin/python

# How long `make prove` fuzzes each target.
FUZZ_SECONDS ?= 600

# `cargo fmt` does not find modules that a macro declares, as it does connectors.
rust_files = git ls-files -z "*.rs"

entente = cargo run --quiet --locked -p entente-cli --features demo
# The command as the tests have built it: by itself it would be built anew, with other features of what it needs.
tested = $(CARGO_TARGET_DIR)/debug/entente

step = @printf '\n== %s\n' '$(1)'

##@ Use

.PHONY: help
help: ## print this list
	@awk -F ':.*## ' '/^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: ## generate a demonstration estate, assess it and write its report
	@scripts/setup build web
	$(entente) --release -- demo --out $(DEMO) --workloads $(DEMO_WORKLOADS)
	$(entente) --release -- assess $(DEMO)/rvtools-*.xlsx --overlay $(DEMO)/cmdb.csv \
		--report $(DEMO)/report.html

.PHONY: dist
dist: ## build one static release binary into dist/
	@scripts/setup build web
	@scripts/dist

.PHONY: deb
deb: dist ## build a Debian package of it into dist/
	@scripts/setup package
	@scripts/deb

##@ Check

.PHONY: test
test: ## everything that a change must pass: set-up, format, lints, tests, documents, the report in a browser
	@scripts/setup build web browser tools platforms database
	$(call step,format)
	$(rust_files) | xargs -0 rustfmt --check --edition 2024
	$(call step,lints)
	cargo clippy --workspace --all-targets --all-features --locked -- -D warnings
	cargo clippy --manifest-path fuzz/Cargo.toml --no-default-features -- -D warnings
	$(call step,tests)
	cargo test --workspace --all-features --locked
	$(call step,documents)
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --all-features --locked
	$(call step,dependencies)
	cargo machete crates fuzz
	cargo deny --locked check --hide-inclusion-graph bans licenses sources
	@echo 'known vulnerabilities are not checked here: their database needs a network; see make audit'
	$(call step,the report in a browser)
	$(tested) demo --out $(TEST_DEMO) --workloads 300
	$(tested) assess $(TEST_DEMO)/rvtools-*.xlsx --overlay $(TEST_DEMO)/cmdb.csv \
		--report $(TEST_DEMO)/report.html --output json > $(TEST_DEMO)/assessment.json
	REPORT=$(CURDIR)/$(TEST_DEMO)/report.html CHROMIUM="$$(scripts/setup which-browser)" \
		npm test --prefix crates/web

.PHONY: audit
audit: ## look for known vulnerabilities in dependencies (fetches the advisory database)
	@scripts/setup build tools
	cargo deny --locked check advisories

.PHONY: prove
prove: ## the long proofs: fuzzing, large estates, a store that is killed; results go to docs/proof.md
	@scripts/setup build web fuzz database prove
	@FUZZ_SECONDS=$(FUZZ_SECONDS) scripts/prove

.PHONY: bench-assess
bench-assess: ## time `entente assess` on an export of 50,000 machines, beside openpyxl
	@scripts/setup build web bench
	cargo build --release --quiet --locked -p entente-cli --features demo
	cargo build --release --quiet --locked -p entente-twins --example export
	@out/bench/python/bin/python scripts/bench-assess $(CARGO_TARGET_DIR)/release/entente \
		$(CARGO_TARGET_DIR)/release/examples/export out/bench

.PHONY: bench-collect
bench-collect: ## time reading 10,000 machines from vcsim beside govc and pyvmomi, and 100,000 from the twin
	@scripts/setup build web platforms
	cargo build --release --quiet --locked -p entente-cli -p entente-connect -p entente-twins \
		--bin entente --example collect-properties --example serve
	@mkdir -p out/bench
	@scripts/bench-collect $(CARGO_TARGET_DIR)/release/entente \
		$(CARGO_TARGET_DIR)/release/examples/collect-properties \
		$(CARGO_TARGET_DIR)/release/examples/serve out/bench/collect

.PHONY: bench-store
bench-store: ## time the store with 100,000 workloads, on SQLite and on PostgreSQL
	@scripts/setup build web database
	cargo build --release --quiet --locked -p entente-store --example bench-store
	@scripts/bench-store $(CARGO_TARGET_DIR)/release/examples/bench-store out/bench/store

##@ Change

.PHONY: fmt
fmt: ## format all Rust code
	$(rust_files) | xargs -0 rustfmt --edition 2024

.PHONY: golden
golden: ## re-record what tests compare with; read the diff before committing it
	@scripts/setup build web
	cargo run --quiet --locked -p entente-xtask -- golden

.PHONY: clean
clean: ## remove everything that was built, downloaded or generated here
	cargo clean
	rm -rf dist out fuzz/target crates/web/node_modules
