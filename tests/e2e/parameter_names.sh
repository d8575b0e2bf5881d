#!/usr/bin/env bash
# Names of parameters, some 20,000 a parser: where Rack, PHP, `qs`, Django and Werkzeug file each, the proxy takes it to stand for
# that too. RACK_3 names the `lib` of a Rack 3, which Debian 12 does not have: then it is compared as well.
# Needs: python3, node, php, ruby-rack; what install.sh puts into $OUT; a built example `parameter_paths`.
source "$(dirname "$0")/lib.sh"
need python3 node php ruby
ours=${TOKENWARD_PARAMETER_PATHS:-$TARGET/debug/examples/parameter_paths}
[ -x "$ours" ] || die "there is no $ours: build it with \`make build\`, or name one in TOKENWARD_PARAMETER_PATHS"
here=$E2E/parameter_names
python=$OUT/frameworks-venv/bin/python
npm=$OUT/frameworks-npm/node_modules

parsers=("rack 2=ruby $here/rack.rb" "php=php $here/php.php")
for folder in qs qs-before; do
    parsers+=("$folder=node $here/qs.js $npm/$folder plain 5" "$folder, depth 32=node $here/qs.js $npm/$folder plain 32"
        "$folder, dots=node $here/qs.js $npm/$folder dots 5" "$folder, dots, depth 32=node $here/qs.js $npm/$folder dots 32")
done
for framework in django werkzeug; do
    parsers+=("$framework=$python $here/python.py $framework")
done
[ -z "${RACK_3:-}" ] || parsers+=("rack 3=env RACK_LIB=$RACK_3 ruby $here/rack.rb")
python3 "$here/check.py" --ours "$ours" --number "${TOKENWARD_RANDOM_NAMES:-20000}" --seed "${TOKENWARD_SEED:-1}" "${parsers[@]}"
