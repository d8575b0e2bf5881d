#!/usr/bin/env bash
# The classes of calls against the vendors' descriptions of their APIs: no write is in none, nor a read whose names speak of
# credentials or rights, and every call that is said to be described is. Needs: the shared data, gzip, and a built `classify`
# (make build).
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

# A new read with such a name fails, also below a path whose other reads have a call in the table.
cat >"$dir/new.json" <<'JSON'
{"paths": {
    "/rest/api/2/new/tokens": {"get": {}},
    "/rest/api/2/new/{id}": {"get": {"operationId": "exportAccounts"}},
    "/rest/api/2/new": {"get": {"summary": "Get all private keys"}},
    "/rest/api/2/issue/backup": {"get": {}},
    "/rest/api/2/new/{tokenId}": {"get": {"operationId": "getNew"}}}}
JSON
echo "== new reads"
found=$("$CLASSIFY" jira "$dir/new.json") && status=1
named=$(grep -c '^WRONG in no class: GET .*, a read with `' <<<"$found") || true
[ "$named" = 4 ] || { echo "$named of 4 new reads are named"; status=1; }
exit $status
