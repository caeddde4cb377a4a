# Rules that no compiler knows: sizes, names, headers, promises. Sourced by ./dev; exceptions stand in limits.allow with a reason.
# A rule's findings come through a pipe, so in a process of their own: only a file can say that one failed.
check_flag=$(mktemp)
trap 'rm -f "$check_flag"' EXIT

complain() { # rule, lines of findings on stdin
  local found
  found=$(cat)
  if [ -z "$found" ]; then printf '  %s %s\n' "$phase_green$phase_ok$phase_off" "$1"; return; fi
  echo failed >"$check_flag"
  printf '  %s %s\n' "$phase_red$phase_bad$phase_off" "$1"
  sed 's/^/      /' <<<"$found"
}

code_files() { git ls-files -co --exclude-standard -- '*.cs'; }

# Drops findings that limits.allow excuses: a line is "path  # reason".
excused() {
  local allow=$tests/limits.allow line
  while IFS= read -r line; do
    [ -f "$allow" ] && grep -qE "^${line%%[: ]*}[[:space:]]+#" "$allow" || printf '%s\n' "$line"
  done
}

check_all() {
  local endings='(Manager|Helper|Helpers|Util|Utils|Utility|Common|Base|Impl|Info|Data|Object|Processor|Wrapper|Misc)'
  code_files | xargs wc -l | awk '$2 != "total" && $1 > 500 { print $2 ": " $1 " lines" }' | excused | complain 'no file over 500 lines'
  code_files | grep -E "$endings\.cs$" | excused | complain 'no file named after nothing (Manager, Helper, Util, ...)'
  code_files | xargs grep -nE "^\s*(public|internal|private|file)?[a-z ]*\b(class|record|struct|interface|enum) [A-Za-z0-9]+$endings\b" |
    cut -c1-140 | excused | complain 'no type named after nothing'
  code_files | xargs grep -nE '\b(TODO|FIXME|HACK|XXX)\b|#region' | cut -c1-140 | excused | complain 'no promise for later, no region'
  code_files | xargs grep -LF 'SPDX-License-Identifier: Apache-2.0' | excused | complain 'every source file has its licence line'
  code_files | xargs grep -nE 'Skip *= *"|Assert\.True\(true' | cut -c1-140 | excused | complain 'no test that cannot fail'
  git ls-files -co --exclude-standard | grep -vE '\.(case|golden|crt|pem|key|bin)$|corpus/' | xargs grep -IlE '[[:blank:]]+$' -- 2>/dev/null |
    grep -vE '\.md$' | excused | complain 'no blank at the end of a line'
  if command -v shellcheck >/dev/null 2>&1; then
    shellcheck -S warning -x -e SC1090,SC1091,SC2034,SC2154 weft dev eng/*.sh test .ci/run | head -n 40 | complain 'shell scripts'
  fi
  local path
  path=$(project_of Docs "$tests")
  mkdir -p "${build_log%/*}"
  if dotnet build "$path" -p:WeftQuick=true -v q --nologo -clp:NoSummary >>"$build_log" 2>&1; then
    run_projects '' Weft.Docs.Tests || echo failed >"$check_flag"
  else
    echo "$path does not build; see $build_log" | complain 'documents'
  fi
  [ ! -s "$check_flag" ]
}
