# What the machine must have, and getting it: installs with apt-get as root, else names the command. Sourced, not run.
# Each line: program to look for (or a file, if it starts with /), Debian package.
run_tools='ip iproute2
nft nftables
unshare util-linux
nsenter util-linux
mount mount
curl curl
ps procps'
build_tools='clang clang
ld.lld lld
/usr/include/zlib.h zlib1g-dev'
test_tools='nginx nginx-light
haproxy haproxy
wrk wrk
varnishtest varnish
slowhttptest slowhttptest
nghttp nghttp2-client
h2load nghttp2-client
tcpdump tcpdump
openssl openssl
etcd etcd-server
etcdctl etcd-client
unzip unzip
setpriv util-linux
/usr/lib/python3/dist-packages/h2/connection.py python3-h2
git git'

find_program() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || [ -x "/sbin/$1" ]; }

# missing_packages LIST → the packages of the programs that are not here, one a line.
missing_packages() {
  local program package
  while read -r program package; do
    [ -n "$program" ] || continue
    case "$program" in
      /*) [ -e "$program" ] || echo "$package" ;;
      *) find_program "$program" || echo "$package" ;;
    esac
  done <<<"$1" | sort -u
}

find_dotnet() {
  local sdk
  if ! command -v dotnet >/dev/null 2>&1; then
    die 'The .NET 10 SDK is missing: no program named dotnet is on the PATH.' \
      'Install it as https://learn.microsoft.com/dotnet/core/install/linux-debian says (package dotnet-sdk-10.0).'
  fi
  sdk=$(dotnet --version 2>/dev/null) || sdk=none
  case "$sdk" in
    10.* | [1-9][1-9].*) ;;
    *) die "The .NET 10 SDK is missing: 'dotnet --version' in this folder says '$sdk'." 'Install the package dotnet-sdk-10.0.' ;;
  esac
}

apt_install() { # log, packages…
  local log=$1
  shift
  export DEBIAN_FRONTEND=noninteractive
  phase 'package lists' "$log" apt-get update -q || return 1
  phase "install $*" "$log" apt-get install -y -q --no-install-recommends "$@"
}

# require_tools LOG LIST PURPOSE: returns if all is there; installs as root; else says the command and stops.
require_tools() {
  local log=$1 packages
  packages=$(missing_packages "$2")
  [ -n "$packages" ] || return 0
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    # shellcheck disable=SC2086 # a list of words
    apt_install "$log" $packages || die "Could not install: ${packages//$'\n'/ }" "Needed $3."
  else
    die "Missing here: ${packages//$'\n'/ } (needed $3)." \
      "As root:  apt-get update && apt-get install -y --no-install-recommends ${packages//$'\n'/ }"
  fi
}
