# Finds a cargo that builds for wasm32 and sets WASM_CARGO and WASM_STD (arrays) to it. Sourced by build.sh and clippy.sh.
# In order: the toolchain in use; its target by rustup; Debian's own Rust, which builds the standard library itself
# (LUCID_WASM_TOOLCHAIN=debian goes straight to that).
target=wasm32-unknown-unknown

has_target() { ls "$(rustc --print sysroot)/lib/rustlib/$target/lib/"libcore-*.rlib >/dev/null 2>&1; }
has_debian() { [ -x /usr/bin/cargo ] && [ -d /usr/lib/rustlib/src/rust/library ] && command -v wasm-ld-19 >/dev/null; }

if [ "${LUCID_WASM_TOOLCHAIN:-}" != debian ] && ! has_target && command -v rustup >/dev/null; then
  timeout 120 rustup target add $target >/dev/null 2>&1 || true
fi
if [ "${LUCID_WASM_TOOLCHAIN:-}" != debian ] && has_target; then
  WASM_CARGO=(cargo)
  WASM_STD=()
else
  if ! has_debian; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
      apt-get update -qq
      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends rustc-web cargo-web rust-web-src lld-19 >/dev/null
    else
      echo "The wasm target is missing. Run: rustup target add $target" >&2
      echo "or, on Debian, install: rustc-web cargo-web rust-web-src lld-19" >&2
      exit 1
    fi
  fi
  WASM_CARGO=(env RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld-19 /usr/bin/cargo)
  WASM_STD=(-Zbuild-std=std,panic_abort,proc_macro)
fi
