#!/usr/bin/env bash
# Clippy for what runs in the browser, where the toolchain can: Debian's Rust comes without clippy, so there the build's own
# warnings stand in.
set -euo pipefail
cd "$(dirname "$0")/.."
. frontend/toolchain.sh
check=check
if [ ${#WASM_STD[@]} -eq 0 ]; then check=clippy; fi
RUSTFLAGS="-D warnings" "${WASM_CARGO[@]}" $check --locked -p frontend --target $target "${WASM_STD[@]}" --target-dir target/frontend-check
