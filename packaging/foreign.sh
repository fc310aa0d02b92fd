# Debian packages of another architecture, taken from where this machine's apt takes
# its own, and unpacked below .deps/ARCH: this machine's packages stay as they are.
# Sourced by stage.sh, whose callers stand in the checkout's root.
foreign=${DEPS:-$PWD/.deps}/foreign

# apt_of ARCH COMMAND...: runs an apt command that knows ARCH alone, no installed
# package, and this machine's sources of Debian 12.
apt_of() {
  local arch=$1 dir=$foreign/$1/apt
  shift
  if [ ! -e "$dir/apt.conf" ]; then
    mkdir -p "$dir"/{lists,archives}/partial && : >"$dir/status"
    apt-get indextargets --format 'deb [arch=ARCH signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(REPO_URI) $(CODENAME) main' \
      'Created-By: Packages' 'Origin: Debian' | grep -E ' bookworm(-updates|-security)? ' | sort -u | sed "s/ARCH/$arch/" >"$dir/sources.list"
    [ -s "$dir/sources.list" ] || die "apt on this machine knows no source for Debian bookworm"
    sed "s|DIR|$dir|g; s|ARCH|$arch|g" >"$dir/apt.conf" <<'CONF'
APT { Architecture "ARCH"; Architectures { "ARCH"; }; Sandbox::User "root"; Install-Recommends "false"; };
Dir::State "DIR"; Dir::State::status "DIR/status"; Dir::State::lists "DIR/lists";
Dir::Cache "DIR"; Dir::Cache::archives "DIR/archives";
Dir::Etc::sourcelist "DIR/sources.list"; Dir::Etc::sourceparts "/dev/null"; Dir::Etc::preferencesparts "/dev/null";
Acquire::Languages "none"; Acquire::Retries "3";
CONF
  fi
  APT_CONFIG=$dir/apt.conf "$@"
}

# debs_of ARCH PACKAGE...: fetches packages and what they depend on, once, and names
# their files on stdout.
debs_of() {
  local arch=$1 dir=$foreign/$1/apt list
  shift
  list=$dir/want.$(echo "$*" | sha256sum | cut -c1-16)
  if [ ! -s "$list" ]; then
    say "fetching $1 and $(($# - 1)) others for $arch"
    for _ in 1 2 3; do
      apt_of "$arch" apt-get update -qq 2>&1 | grep '^E:' >&2 || break
    done
    mkdir -p "$dir/none/partial"
    apt_of "$arch" apt-get install -y -qq -o Dir::Cache::archives="$dir/none" --print-uris "$@" >"$list.uris" &&
      apt_of "$arch" apt-get install -y -qq --download-only "$@" >&2 || die "apt-get could not fetch $* for $arch: is this machine offline?"
    awk -v dir="$dir/archives/" '/^.[a-z]+:/ {print dir $2}' "$list.uris" >"$list.new" && mv "$list.new" "$list"
  fi
  cat "$list"
}

# unpack DIR FILE...: the files of packages, unconfigured.
unpack() {
  local dir=$1 file
  shift
  mkdir -p "$dir"
  for file; do
    dpkg-deb --fsys-tarfile "$file" | tar -x --keep-directory-symlink -C "$dir"
  done
}

# lay_sysroot ARCH: OpenCV's headers and libraries for a build with cgo, at $sysroot.
lay_sysroot() {
  local m packages=() files
  sysroot=$foreign/$1/sysroot
  [ ! -e "$sysroot/.complete" ] || return 0
  for m in $opencv_modules; do packages+=("libopencv-$m-dev"); done
  # The compiler's own C library, in place of this one.
  files=$(debs_of "$1" "${packages[@]}" | grep -v '/libc6-dev_') || exit 1
  say "unpacking OpenCV for $1"
  rm -rf "$sysroot"
  # shellcheck disable=SC2086
  unpack "$sysroot" $files
  rm -rf "$sysroot"/usr/share "$sysroot"/var "$sysroot"/usr/bin
  touch "$sysroot/.complete"
}
