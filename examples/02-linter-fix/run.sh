#!/usr/bin/env bash
set -euo pipefail
. "$(dirname "$0")/../system.sh"

prettier="$root/node_modules/prettier/bin/prettier.cjs"
if [ ! -f "$prettier" ]; then
  npm install --prefix "$work/tool" --no-audit --no-fund --loglevel=error prettier@3.10.1
  prettier="$work/tool/node_modules/prettier/bin/prettier.cjs"
fi
# A small library that works, and that nobody ever formatted.
mkdir -p "$work/files/src" "$work/files/test" && cd "$work/files"
cat >.multi-agent.json <<'END'
{ "checks": ["node --test"] }
END
cat >package.json <<'END'
{ "name": "temperature", "version": "1.0.0", "type": "module",
    "exports": "./src/temperature.js" }
END
cat >.prettierrc <<'END'
{ "singleQuote": true }
END
cat >src/temperature.js <<'END'
/** Degrees Celsius as degrees Fahrenheit. */
export function toFahrenheit (celsius){ return celsius*9/5+32 }

/** A temperature as people write it: in `scale`, "C" or "F". */
export const format=( celsius,{scale="C",digits = 0}={} )=>{
      const degrees = scale==="F" ? toFahrenheit( celsius ):celsius
  return degrees.toFixed( digits )+ "°" + scale }
END
cat >test/temperature.test.js <<'END'
import assert from "node:assert/strict"
import {test} from "node:test"
import {format,toFahrenheit} from "../src/temperature.js"

test( "water boils", ()=>{ assert.equal( toFahrenheit(100), 212 ) } )
test( "writes both scales", ()=>{
    assert.equal( format( 21.4 ), "21°C" ); assert.equal( format( 21.4,{ scale:"F",digits:1 } ), "70.5°F" )
} )
END
cd - >/dev/null
make_repository "$work/files"

export CODER_COMMAND="node '$prettier' --write ." REVIEWER_COMMAND="node '$example/reviewer.mjs' '$prettier'"
start_system
show multi-agent submit-feature --repo "$work/app" --title 'Format the code' --description 'As prettier would, nothing else.' --wait
show git -C "$work/app" log --graph --oneline
show git -C "$work/app" diff --stat HEAD^ HEAD
show cat "$work/app/src/temperature.js"
