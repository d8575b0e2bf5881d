#!/usr/bin/env bash
# The classes of calls against the vendors' descriptions of their APIs: no operation is in none, and every call that is
# said to be described is. Needs: the shared data, gzip, and a built `classify` (make build).
source "$(dirname "$0")/lib.sh"
need gzip
DESCRIPTIONS=$SHARED/openapi
CLASSIFY=$TARGET/debug/examples/classify
[ -d "$DESCRIPTIONS" ] || die "no shared data at $SHARED; name the place in TOKENWARD_SHARED"
[ -x "$CLASSIFY" ] || die "$CLASSIFY is missing: run make build"
dir=$OUT/classification
status=0

rm -rf "$dir"
mkdir -p "$dir"
gzip -dc "$DESCRIPTIONS/jira-cloud-v3.json.gz" >"$dir/jira-cloud-v3.json"

classify() { # classify PRODUCT DESCRIPTION…
    echo "== $1"
    "$CLASSIFY" "$@" || status=1
}

# Data Center's and Cloud's together: either may lack what the other has.
classify jira "$DESCRIPTIONS"/jira-dc-*.json "$dir/jira-cloud-v3.json"
classify confluence "$DESCRIPTIONS"/confluence-dc-*.json
exit $status
