#!/usr/bin/env bash
# Makes the site: build.sh OUT. The wasm has a target folder of its own, so that it never waits for the server's build.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-target/site}
. frontend/toolchain.sh
"${WASM_CARGO[@]}" build --locked -p frontend --profile wasm-release --target $target "${WASM_STD[@]}" --target-dir target/frontend
wasm_opt=frontend/node_modules/.bin/wasm-opt
if [ ! -x $wasm_opt ] && command -v npm >/dev/null; then
  npm ci --prefix frontend --silent --no-audit --no-fund || echo "build.sh: npm could not install wasm-opt; the wasm stays larger" >&2
fi
if [ -x $wasm_opt ]; then export WASM_OPT=$wasm_opt; fi
cargo run --locked --quiet -p site -- target/frontend/$target/wasm-release/frontend.wasm style "$out"
