# Builds the three programs into artifacts/bin-weft, if a source is newer than what stands there. Sourced, not run; $top is the checkout.
bin=$top/artifacts/bin-weft
build_log=$top/artifacts/build.log
stamp=$bin/.stamp
settings=(eng Directory.Build.props Directory.Packages.props global.json)
inputs=(src api "${settings[@]}")
# What weft-proxy and weft-sample are made of: their compilation takes a minute, and most changes are not about them.
native_stamp=$bin/.stamp-native
native_inputs=(src/Weft.Model src/Weft.Protocols src/Weft.Wire src/Weft.Proxy src/Weft.Sample api "${settings[@]}")

dotnet_environment() {
  export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1 DOTNET_GENERATE_ASPNET_CERTIFICATE=false
  export MSBUILDTERMINALLOGGER=off
  [ -n "${HOME:-}" ] && [ -w "$HOME" ] || export HOME=$top/artifacts/home DOTNET_CLI_HOME=$top/artifacts/home
}

existing_inputs() { local i; for i in "${inputs[@]}"; do [ ! -e "$top/$i" ] || printf '%s\n' "$top/$i"; done; }

# True if nothing changed since the last build; a newer time stamp alone (a checkout, a copy) is settled by the content.
is_fresh() {
  local paths newer
  [ -f "$stamp" ] && [ -x "$bin/weft" ] && [ -x "$bin/weft-proxy" ] && [ -x "$bin/weft-sample" ] || return 1
  # What WEFT_QUICK built serves nobody else.
  [ ! -e "$bin/.quick" ] || [ -n "${WEFT_QUICK:-}" ] || return 1
  mapfile -t paths < <(existing_inputs)
  newer=$(find "${paths[@]}" -newer "$stamp" -print -quit)
  [ -n "$newer" ] || return 0
  [ "$(content_of "${inputs[@]}")" = "$(cat "$stamp")" ] || return 1
  [ ! -w "$stamp" ] || touch "$stamp"
}

content_of() { # paths → one hash of all files in them
  local paths
  mapfile -t paths < <(cd "$top" && for i in "$@"; do [ ! -e "$i" ] || echo "$i"; done)
  (cd "$top" && find "${paths[@]}" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1)
}

cpu_level() { grep -qw avx2 /proc/cpuinfo && grep -qw bmi2 /proc/cpuinfo && echo x86-x64-v3 || echo baseline; }

# WEFT_QUICK=1 leaves out what makes the programs fast but their build slow: for a test of a change, not for users or figures.

# ReadyToRun halves the start of `weft`; where its compiler cannot be had, the plain form does the same, later.
publish_weft() {
  local out=$1
  # A folder of its own for what lies between: a build of the solution must not find these files, nor the other way round.
  local args=(publish "$top/src/Weft.Cli" -c Release -p:WeftQuick=true -p:ArtifactsPath="$top/artifacts/run" -v q --nologo -clp:NoSummary -o "$out")
  if [ -z "${WEFT_QUICK:-}" ] && dotnet "${args[@]}" -p:WeftReadyToRun=true; then return 0; fi
  dotnet "${args[@]}"
}

publish_native() { # project, out
  dotnet publish "$top/src/$1" -c Release -p:WeftAot=true -p:WeftCpu="$(cpu_level)" -v q --nologo -clp:NoSummary -o "$2"
}

publish_jit() { dotnet publish "$top/src/$1" -c Release -p:WeftQuick=true -p:ArtifactsPath="$top/artifacts/jit" -v q --nologo -clp:NoSummary -o "$2"; }

publish_program() { # project, program, out: ahead of time, else with a JIT and a note
  local start=${EPOCHREALTIME/[.,]/} log=$top/artifacts/build.$2.log
  : >"$log"
  if [ -n "${WEFT_QUICK:-}" ]; then
    publish_jit "$1" "$3" >>"$log" 2>&1 </dev/null || { fail_lines "$2" "$start" "$log"; return 1; }
    done_line "$2" "$start" 'with a JIT, as WEFT_QUICK asks'
    return 0
  fi
  if publish_native "$1" "$3" >>"$log" 2>&1 </dev/null; then done_line "$2" "$start" 'ahead of time'; return 0; fi
  # An error of ours is one, even if the JIT's newer framework would overlook it; only a missing compiler lets the second way succeed.
  if grep -q 'error CS' "$log"; then fail_lines "$2" "$start" "$log"; return 1; fi
  if publish_jit "$1" "$3" >>"$log" 2>&1 </dev/null; then
    done_line "$2" "$start" 'with a JIT'
    note "$2 runs with a JIT: it could not be compiled ahead of time here ($log says why). It needs more memory and starts later."
    return 0
  fi
  fail_lines "$2" "$start" "$log"
  return 1
}

# Takes the native programs that stand there, if they are of these sources; else compiles them.
native_programs() { # content, out
  if [ "$1" = "$(cat "$native_stamp" 2>/dev/null)" ] && [ -x "$bin/weft-proxy" ] && [ -x "$bin/weft-sample" ]; then
    cp -a "$bin/weft-proxy" "$bin/weft-sample" "$2/"
    # Without ahead-of-time compilation a program is several files, which only its publishing knows.
    [ ! -e "$bin/weft-proxy.dll" ] && [ ! -e "$bin/weft-sample.dll" ] && return 0
  fi
  publish_program Weft.Sample weft-sample "$2" && publish_program Weft.Proxy weft-proxy "$2"
}

build_programs() {
  local staging=$top/artifacts/staging-weft content native start=${EPOCHREALTIME/[.,]/} failed=0 pids=()
  content=$(content_of "${inputs[@]}")
  native=$(content_of "${native_inputs[@]}")
  rm -rf "$staging"
  mkdir -p "$staging/weft" "$staging/native"
  : >"$build_log"
  printf '  %s building weft, weft-proxy, weft-sample\n' "$phase_wait" >&2
  (publish_weft "$staging/weft" >"$build_log" 2>&1 </dev/null && done_line weft "$start" || { fail_lines weft "$start" "$build_log"; exit 1; }) &
  pids+=($!)
  # Both share projects and so their intermediate files: one after the other.
  (native_programs "$native" "$staging/native") &
  pids+=($!)
  for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
  cat "$top"/artifacts/build.weft-*.log >>"$build_log" 2>/dev/null
  [ "$failed" = 0 ] || return 1
  rm -f "$staging"/*/*.dbg "$staging"/*/*.pdb "$staging"/*/*.xml
  mkdir -p "$staging/all"
  cp -a "$staging/native/." "$staging/all/"
  cp -a "$staging/weft/." "$staging/all/"
  printf '%s\n' "$content" >"$staging/all/.stamp"
  printf '%s\n' "$native" >"$staging/all/.stamp-native"
  [ -z "${WEFT_QUICK:-}" ] || : >"$staging/all/.quick"
  # A running mesh keeps its old files: the folder is replaced, not written into.
  rm -rf "$bin.old"
  [ ! -e "$bin" ] || mv "$bin" "$bin.old"
  mv "$staging/all" "$bin"
  rm -rf "$bin.old" "$staging"
}

# ensure_built: the whole of it, one at a time.
ensure_built() {
  is_fresh && return 0
  mkdir -p "$top/artifacts" 2>/dev/null
  if [ ! -w "$top/artifacts" ]; then
    die "This checkout has to be built, and '$top' is read-only for user '$(id -un)'." \
      "Clone it to a folder of your own, or let its owner run ./weft version once."
  fi
  exec 8>"$top/artifacts/.lock"
  flock -n 8 || { note 'Another build of this checkout is running; waiting for it.'; flock 8; }
  is_fresh && { exec 8>&-; return 0; }
  dotnet_environment
  find_dotnet
  require_tools "$build_log" "$build_tools" 'to compile weft-proxy and weft-sample ahead of time'
  # Not to the compiler's server, which outlives this build and would hold the lock as long.
  build_programs 8>&- || die "The build failed; all of its output is in $build_log."
  exec 8>&-
}
