#!/usr/bin/env bash
# Tomcat behind the proxy: for every odd target and framing of the shared matrix, and for a seeded lot of random ones, the
# proxy refuses, or Tomcat reads exactly what the policy matched and the audit recorded.
# Needs: python3, java, the tomcat10-common and tomcat10-user packages, the shared data, a built tokenward.
source "$(dirname "$0")/lib.sh"
need python3 java tomcat10-instance-create
[ -f "$SHARED/real/tomcat/raw_matrix.py" ] || die "no shared data at $SHARED; name the place in TOKENWARD_SHARED"

DIR=$OUT/tomcat
rm -rf "$DIR"
mkdir -p "$DIR"
read -r proxy admin upstream control <<<"$(free_ports 4)"

tomcat10-instance-create -p "$upstream" -c "$control" "$DIR/base" >"$LOGS/tomcat-create.log" 2>&1
sed -i "s/<Server port=\"$control\"/<Server port=\"-1\"/; s/<Connector port=\"$upstream\" protocol=\"HTTP\/1.1\"/<Connector port=\"$upstream\" address=\"127.0.0.1\" protocol=\"HTTP\/1.1\"/" "$DIR/base/conf/server.xml"
grep -q 'address="127.0.0.1"' "$DIR/base/conf/server.xml" || die "Tomcat's server.xml is not as expected: it would listen on every address"
mkdir -p "$DIR/base/webapps/ROOT/WEB-INF"
cp "$SHARED/real/tomcat/echo.jsp" "$DIR/base/webapps/ROOT/"
cp "$SHARED/real/tomcat/web.xml" "$DIR/base/webapps/ROOT/WEB-INF/"

export CATALINA_HOME=/usr/share/tomcat10 CATALINA_BASE=$DIR/base CATALINA_OPTS="-Xmx128m -XX:+UseSerialGC"
start tomcat /usr/share/tomcat10/bin/catalina.sh run
await_port tomcat "$upstream" 60

cat >"$DIR/policies.json" <<'JSON'
{"open": {"limits": [".*"]},
 "bound": {"limits": [".*[QueryParam::jql==q][QueryParam::only]"]}}
JSON
python3 "$E2E/tokens.py" "$DIR/policies.json" "$DIR/policies" "$DIR/tokens.json"
# Behind a proxy that ends TLS: so the matrix's absolute target with the public authority is one that is accepted.
cat >"$DIR/tokenward.toml" <<TOML
[server]
listen = "127.0.0.1:$proxy"
[admin]
listen = "127.0.0.1:$admin"
[upstream]
url = "http://127.0.0.1:$upstream"
public_url = "https://127.0.0.1"
product = "jira"
endpoints = ["/*"]
[auth]
methods = "both"
failed_attempts = 0
TOML
serve tomcat-proxy "$DIR" "$proxy"
python3 "$E2E/tomcat_check.py" --matrix "$SHARED/real/tomcat/raw_matrix.py" --tokens "$DIR/tokens.json" \
    --binary "$BIN" --config "$DIR/tokenward.toml" --port "$proxy" --random "${TOKENWARD_RANDOM_TARGETS:-1500}" \
    --seed "${TOKENWARD_SEED:-1}"
