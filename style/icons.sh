#!/usr/bin/env bash
# Makes icons.svg: one sprite of the Lucide icons that pages use, named below. Run it after a name was added; needs npm.
set -euo pipefail
cd "$(dirname "$0")"
version=1.62.0
names=(arrow-right ban bell book-text calendar-clock chart-line check chevron-down chevron-left chevron-right chevron-up
  chevrons-up-down circle-help clock database download ellipsis eraser eye eye-off file-minus file-pen file-plus file-symlink
  file-text git-commit-horizontal git-compare git-merge git-pull-request-arrow hand history hourglass inbox key-round keyboard
  layers list-checks list-tree lock-open log-out menu message-square messages-square moon-star panel-left-open pause pencil plus
  search settings shield-alert shield-check snowflake triangle-alert undo-2 upload user-check user-round users workflow x)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm pack --silent --pack-destination "$work" "lucide-static@$version" >/dev/null
tar -xzf "$work"/lucide-static-*.tgz -C "$work"
{
  echo '<svg xmlns="http://www.w3.org/2000/svg">'
  echo "<!-- Lucide $version, ISC license: see LICENSES.md -->"
  for name in "${names[@]}"; do
    body=$(sed -e '1,/^<svg/d' "$work/package/icons/$name.svg" | sed -n '/>$/,$p' | tr -d '\n' | sed -e 's/^[^<]*//' -e 's/<\/svg>.*//' -e 's/ \{2,\}/ /g' -e 's/ \/>/\/>/g' -e 's/^ *>//' -e 's/> </></g')
    echo "<symbol id=\"$name\" viewBox=\"0 0 24 24\">$body</symbol>"
  done
  echo '</svg>'
} > icons.svg
echo "icons.svg: ${#names[@]} icons, $(wc -c < icons.svg) bytes"
