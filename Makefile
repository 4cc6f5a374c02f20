# The commands of Lucid. `make demo` and `make test` do all their own set-up on a fresh Debian as root;
# elsewhere they say what is missing.

SITE := target/site/manifest.json
SITE_SOURCES := $(shell find app/src crates/domain/src frontend style -type f -not -path '*/node_modules/*') Cargo.lock Cargo.toml

# The sentence model that dreams compare meanings with.
MODEL := target/models/all-minilm-l6-v2

.PHONY: demo run site test eval train bench lint deny advisories soak screens screenshots style-report
.DEFAULT_GOAL := demo

## The pages' wasm, script and style, hashed and compressed; the server's build takes them in.
site: $(SITE)
$(SITE): $(SITE_SOURCES)
	frontend/build.sh target/site

## A fresh Lucid with example sessions on http://localhost:3000; prints how to sign in.
demo: $(SITE)
	models/fetch.sh
	cargo build --release --bin lucid
	rm -f target/demo.db target/demo.db-wal target/demo.db-shm
	LUCID_EMBEDDING_MODEL=$(MODEL) target/release/lucid --database sqlite:target/demo.db serve --demo

## A real instance on ./lucid.db (or LUCID_DATABASE).
run: $(SITE)
	models/fetch.sh
	LUCID_EMBEDDING_MODEL=$(MODEL) cargo run --release --bin lucid -- serve

## Every test: both databases, the browser. Random cases come from one seed; `make soak` draws new ones.
test: $(SITE)
	tests/setup.sh
	PROPTEST_RNG_SEED=1 tests/with-postgres.sh cargo test --workspace --locked

## Takes the screens anew that the browser tests compare pages with. Look at what it changed before you commit.
screens: $(SITE)
	tests/setup.sh
	mkdir -p tests/browser/screens
	LUCID_TAKE_SCREENS=1 cargo test -p server --locked --test browser -- screens:: --test-threads 1

## The long checks, of which `make test` runs short ones.
soak: $(SITE)
	LUCID_SOAK=1 tests/setup.sh
	LUCID_SOAK=1 PROPTEST_CASES=20000 tests/with-postgres.sh cargo test --release --workspace --locked -- --include-ignored

## How good the findings are, on the corpora in a folder: make eval DATA=..
eval:
	models/fetch.sh
	LUCID_EVAL_DATA="$(abspath $(or $(DATA),../shared/data))" cargo test -p server --locked --test evaluation

## Teaches the classifiers anew from tests/evaluation/training (hostile texts; what dreams know of rules and facts, some ten minutes), and
## prints how each does on what it did not see.
train:
	cargo run -p domain --example train_hostility --locked
	models/fetch.sh
	cargo run --release -p embed --example train_dreams --locked

## Figures beside each other in one run.
bench: $(SITE)
	tests/setup.sh
	cargo bench -p server

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	frontend/clippy.sh
	$(MAKE) deny

## How the code reads, beside what is wanted.
style-report:
	python3 tests/style_report.py

deny:
	command -v cargo-deny >/dev/null || cargo install --locked cargo-deny
	# It looks at every platform, so also at crates that no build here has fetched.
	cargo fetch --locked --quiet
	cargo deny --offline check bans licenses sources

## Needs to reach a git host.
advisories:
	cargo deny check advisories

## Screenshots of the demo's pages, light, dark and narrow, into target/screenshots.
screenshots: $(SITE)
	LUCID_SCREENSHOTS=$(CURDIR)/target/screenshots tests/with-postgres.sh cargo test -p server --test browser -- --nocapture
