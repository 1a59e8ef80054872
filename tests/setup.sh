#!/usr/bin/env bash
# Installs from Debian's packages what the tests need and do not find: Chromium, a Chinese font, PostgreSQL's
# server, LibreOffice Calc without windows, nginx.
set -euo pipefail

found() {
    local name
    for name in "$@"; do
        if [ -n "$name" ] && command -v "$name" > /dev/null; then return 0; fi
    done
    return 1
}

missing=()
found "${CHROMIUM:-}" chromium chromium-browser google-chrome || missing+=(chromium)
[ -n "$(fc-list :lang=zh 2> /dev/null | head -n 1)" ] || missing+=(fonts-noto-cjk)
found initdb /usr/lib/postgresql/*/bin/initdb || missing+=(postgresql)
found soffice || missing+=(libreoffice-calc-nogui)
found nginx /usr/sbin/nginx || missing+=(nginx)
[ ${#missing[@]} -gt 0 ] || exit 0

refuse() {
    echo "The tests need ${missing[*]}: type  sudo apt-get install ${missing[*]}  and try again." >&2
    exit 1
}

as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo -n)
found apt-get && "${as_root[@]}" true 2> /dev/null || refuse

# The packages would start servers of their own, now and at the next boot; the tests make theirs.
made=()
trap '[ ${#made[@]} = 0 ] || "${as_root[@]}" rm -f "${made[@]}"' EXIT
put() {
    [ ! -e "$1" ] || return 0
    "${as_root[@]}" install -D -m 755 /dev/stdin "$1"
    made+=("$1")
}
put /usr/sbin/policy-rc.d <<< $'#!/bin/sh\nexit 101'
[[ " ${missing[*]} " != *" postgresql "* ]] ||
    put /etc/postgresql-common/createcluster.d/yuejian-tests.conf <<< "create_main_cluster = false"

echo "Installing ${missing[*]} ..."
log=$(mktemp)
{
    "${as_root[@]}" apt-get update &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
} > "$log" 2>&1 || {
    tail -n 20 "$log" >&2
    refuse
}
rm -f "$log"
if [[ " ${missing[*]} " == *" nginx "* ]] && found systemctl; then
    "${as_root[@]}" systemctl disable --quiet nginx 2> /dev/null || true
fi
