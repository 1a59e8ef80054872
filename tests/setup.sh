#!/usr/bin/env bash
# Installs from Debian's packages what the tests need and do not find: Chromium, a Chinese font, PostgreSQL's
# server, LibreOffice Calc without windows.
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
[ ${#missing[@]} -gt 0 ] || exit 0

refuse() {
    echo "The tests need ${missing[*]}: type  sudo apt-get install ${missing[*]}  and try again." >&2
    exit 1
}

as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo -n)
found apt-get && "${as_root[@]}" true 2> /dev/null || refuse

# The package would start a server of its own; the tests make theirs.
quiet=/etc/postgresql-common/createcluster.d/yuejian-tests.conf
if [[ " ${missing[*]} " == *" postgresql "* ]]; then
    "${as_root[@]}" mkdir -p "${quiet%/*}"
    echo "create_main_cluster = false" | "${as_root[@]}" tee "$quiet" > /dev/null
    trap '"${as_root[@]}" rm -f "$quiet"' EXIT
fi

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
