#!/usr/bin/env bash
# Make docs/images/report.png: the first screen of the report of the demo's run with all faults, as it opens from disk.
# Needs Chromium. Usage: docs/images/make.sh  (after `make demo`)
set -euo pipefail
cd "$(dirname "$0")/../.."

home=${TWINSTORE_HOME:-.twinstore}
report=$(realpath "$home/runs/latest-demo/report.html")
image=$PWD/docs/images/report.png
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
profile=$(mktemp -d)
trap 'rm -rf -- "$profile"' EXIT

"$browser" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --hide-scrollbars \
  --user-data-dir="$profile" --window-size=1200,2190 --virtual-time-budget=2000 \
  --screenshot="$image" "file://$report" 2> /dev/null
size=$(stat -c %s "$image")
[ "$size" -lt 400000 ] || { echo "$image has $size bytes; it shall have less than 400,000." >&2; exit 1; }
echo "docs/images/report.png: $size bytes"
