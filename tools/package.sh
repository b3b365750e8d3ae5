#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Packs a built program: tools/package.sh deb|tarball ... [--binary FILE] [--output DIR]
# [--version VERSION]. Prints the path of each file that it made. The version is the program's own,
# unless a test asks for another. The same sources and the same program give the same bytes.
set -eu
cd "$(dirname "$0")/.."

binary=build-package/oi output=build-package/packages version= kinds=
while [ $# -gt 0 ]; do
    case $1 in
    --binary) binary=$2 && shift ;;
    --output) output=$2 && shift ;;
    --version) version=$2 && shift ;;
    deb | tarball) kinds="$kinds $1" ;;
    *) echo "package: no kind '$1': deb or tarball" >&2 && exit 2 ;;
    esac
    shift
done

[ -x "$binary" ] || { echo "package: $binary is not built" >&2 && exit 1; }
binary=$(readlink -f "$binary")
: "${version:=$("$binary" --version | sed -n 's/^oi //p')}"
: "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct 2>/dev/null || date +%s)}"
export SOURCE_DATE_EPOCH
architecture=$(dpkg --print-architecture)
mkdir -p "$output"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 022

# put MODE FILE PATH: a file into the tree that is being packed.
put()
{
    mkdir -p "$(dirname "$3")"
    cp "$2" "$3"
    chmod "$1" "$3"
}

# fill FILE: its @NAME@ replaced.
fill()
{
    sed -e "s|@VERSION@|$version|g" -e "s|@ARCHITECTURE@|$architecture|g" -e "s|@SIZE@|${size:-}|g" \
        -e "s|@DEPENDS@|${depends:-}|g" -e "s|@LOADER@|${loader:-}|g" "$1"
}

# The documents as text and as a site.
put_documents()
{
    for document in README.md SECURITY.md; do
        put 644 $document "$1/$document"
    done
    find docs -name '*.md' | sort | while read -r document; do
        put 644 "$document" "$1/$document"
    done
    tools/docs.py --output "$1/html" >/dev/null
}

stamp()
{
    find "$1" -newermt "@$SOURCE_DATE_EPOCH" -print0 | xargs -0r touch -h -d "@$SOURCE_DATE_EPOCH"
}

make_deb()
{
    root=$work/deb
    put 755 "$binary" "$root/usr/bin/oi"
    strip --remove-section=.comment --remove-section=.note "$root/usr/bin/oi"
    mkdir -p "$root/usr/share/man/man1"
    "$binary" manual --into "$root/usr/share/man/man1" >/dev/null
    gzip -9n "$root"/usr/share/man/man1/*.1
    "$binary" completions bash >"$work/bash"
    "$binary" completions zsh >"$work/zsh"
    "$binary" completions fish >"$work/fish"
    put 644 "$work/bash" "$root/usr/share/bash-completion/completions/oi"
    put 644 "$work/zsh" "$root/usr/share/zsh/vendor-completions/_oi"
    put 644 "$work/fish" "$root/usr/share/fish/vendor_completions.d/oi.fish"
    put_documents "$root/usr/share/doc/oi"
    put 644 packaging/debian/copyright "$root/usr/share/doc/oi/copyright"
    gzip -9nc CHANGELOG.md >"$work/changelog"
    put 644 "$work/changelog" "$root/usr/share/doc/oi/changelog.gz"
    put 644 packaging/debian/oi.service "$root/lib/systemd/system/oi.service"
    put 644 packaging/debian/oi.conf "$root/etc/oi/oi.conf"

    # What it needs, from the symbols it uses; the tool wants to stand in a source package.
    mkdir -p "$work/source/debian"
    cp packaging/debian/source-control "$work/source/debian/control"
    depends=$(cd "$work/source" && dpkg-shlibdeps --warnings=0 -O "$binary" | sed -n 's/^shlibs:Depends=//p')
    size=$(du -sk --apparent-size "$root" | cut -f1)
    mkdir -p "$root/DEBIAN"
    (cd "$root" && find . -type f -not -path './DEBIAN/*' -printf '%P\n' | LC_ALL=C sort |
        xargs -d '\n' md5sum) >"$work/md5sums"
    fill packaging/debian/control.in >"$root/DEBIAN/control"
    put 644 "$work/md5sums" "$root/DEBIAN/md5sums"
    echo /etc/oi/oi.conf >"$root/DEBIAN/conffiles"
    for script in postinst prerm postrm; do
        put 755 packaging/debian/$script "$root/DEBIAN/$script"
    done
    stamp "$root"
    package=$output/oi_${version}_$architecture.deb
    dpkg-deb --root-owner-group -Zxz -z"${OI_PACK_LEVEL:-6}" --build "$root" "$package" >/dev/null
    echo "$package"
}

# The libraries that the program loads with their files: "name path" a line, the loader among them.
libraries_of()
{
    ldd "$1" | sed -n -e 's|^\t\(.*\) => \(/.*\) (0x.*|\1 \2|p' -e 's|^\t/.*/\([^/]*\) (0x.*|\1 &|p' |
        sed 's|^\([^ ]*\) \t\([^ ]*\) .*|\1 \2|'
}

# The packages that installed files; dpkg may know a file by its path before /lib moved into /usr.
owners_of()
{
    # shellcheck disable=SC2046
    dpkg-query -S "$@" $(printf '%s\n' "$@" | sed 's|^/usr||') 2>/dev/null | sed 's/:.*//' | sort -u
}

make_tarball()
{
    name=oi-$version-linux-$architecture
    root=$work/$name
    put 755 "$binary" "$root/lib/oi"
    strip --remove-section=.comment --remove-section=.note "$root/lib/oi"
    libraries_of "$binary" >"$work/libraries"
    loader=$(sed -n 's/^\(ld-linux[^ ]*\) .*/\1/p' "$work/libraries")
    [ -n "$loader" ] || { echo "package: ldd names no loader" >&2 && exit 1; }
    while read -r library path; do
        put 644 "$(readlink -f "$path")" "$root/lib/$library"
    done <"$work/libraries"
    chmod 755 "$root/lib/$loader"
    # shellcheck disable=SC2046
    for owner in $(owners_of $(cut -d' ' -f2 "$work/libraries" | xargs readlink -f)); do
        put 644 "/usr/share/doc/$owner/copyright" "$root/share/doc/licences/$owner"
    done
    fill packaging/tarball/oi >"$root/oi"
    chmod 755 "$root/oi"
    fill packaging/tarball/README.txt >"$root/README.txt"
    mkdir -p "$root/share/man/man1" "$root/share/completions"
    "$binary" manual --into "$root/share/man/man1" >/dev/null
    "$binary" completions bash >"$root/share/completions/oi.bash"
    "$binary" completions zsh >"$root/share/completions/_oi"
    "$binary" completions fish >"$root/share/completions/oi.fish"
    put_documents "$root/share/doc"
    put 644 LICENSE "$root/share/doc/licences/oi"
    put 644 packaging/debian/copyright "$root/share/doc/licences/embedded"
    put 644 CHANGELOG.md "$root/share/doc/CHANGELOG.md"
    tarball=$output/$name.tar.gz
    (cd "$work" && LC_ALL=C tar --sort=name --owner=0 --group=0 --numeric-owner \
        --mtime="@$SOURCE_DATE_EPOCH" -cf - "$name") | gzip -"${OI_PACK_LEVEL:-6}"n >"$tarball"
    echo "$tarball"
}

for kind in $kinds; do
    "make_$kind"
done
