# `make` alone says what there is. Everything here needs Rust and Python 3.9 or newer, the tests `openssl` besides.

.DEFAULT_GOAL := help
.PHONY: help setup demo picture docs docs-check test fuzz soak lint check-windows deny advisories bench bench-chart
.PHONY: install package sums release draft reproduce

# What `make setup` brought is used where the machine has none of its own.
export PATH := $(PATH):$(CURDIR)/.tools/cargo-nextest/bin:$(CURDIR)/.tools/cargo-deny/bin

help: ## Says what there is
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 16

demo: ## Shows the main job against a fake of HeyGen's API, step by step
	@scripts/demo

picture: ## Draws the README's picture of what the demo prints
	@scripts/picture

docs: ## Makes docs/, the pages of registries, of templates/, examples/ and the schema that Terraform sees
	@scripts/docs

docs-check: ## Fails if a page under docs/ is stale, or was not made by `make docs`
	@scripts/docs --check

test: setup ## Runs all tests, with two engines; ARGS=name runs those whose name holds it
	scripts/test $(ARGS)

fuzz: ## Feeds much more hostile input than the tests do; PROPTEST_CASES=how many, ARGS=target
	scripts/fuzz $(ARGS)

soak: setup ## Random runs under random faults, 10000 of them; SEEDS, ENGINE_SEEDS=START..END choose others
	scripts/soak

lint: ## Format and lint checks
	cargo fmt --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	scripts/build lint

check-windows: ## Compiles the provider and the fake for Windows, without linking them; needs rustup
	scripts/check-windows

deny: ## Licences, duplicates, sources and known vulnerabilities of all dependencies
	scripts/setup deny
	cargo deny --locked check -D warnings bans licenses sources
	scripts/advisories

advisories: ## Asks the network for vulnerabilities that became known since advisories.tsv was written
	scripts/setup deny
	cargo deny --locked check advisories
	scripts/advisories refresh

bench: ## Measures the release beside floors, as one table; ARGS=start, calls, terraform or http for a part of it
	scripts/bench $(ARGS)

bench-chart: ## Draws benches/README.md's picture of the last figures in benches/results/
	scripts/bench --chart

install: ## Builds the provider and puts it where Terraform looks for local plugins
	scripts/install

package: ## Makes this machine's zip of a release in dist/, with an SBOM
	scripts/release package

sums: ## Lists the zips in dist/ and signs the list; GPG_KEY=fingerprint
	scripts/release sums $(GPG_KEY)

release: ## The zip, the list and the signatures; GPG_KEY=fingerprint
	scripts/release all $(GPG_KEY)

draft: ## Puts what is in dist/ into a draft of a release at the code host
	scripts/release draft

reproduce: ## Builds the commit twice, in other folders, and compares the bytes
	scripts/reproduce

setup: ## Brings the engines and tools the tests need into .tools/
	scripts/setup
