# What the scripts share: where the project is, and a virtual environment that is made anew only when something changed.
# shellcheck shell=bash
project=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)

say() { printf '%s\n' "$*" >&2; }

find_python() {
  local python
  for python in python3 python3.14 python3.13 python3.12 python3.11; do
    if command -v "$python" >/dev/null && "$python" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))'; then
      printf '%s\n' "$python"
      return
    fi
  done
  say 'This needs Python 3.11 or newer as python3; on Debian: apt-get install python3 python3-venv'
  return 1
}

# make_environment FOLDER LOCK: FOLDER holds what LOCK pins, and the project itself, editable.
# All output goes to standard error: standard output is the server's, whose first line is the link.
make_environment() {
  (
    folder=$1 lock=$2
    cd "$project" || exit
    # Two scripts started at once must not both fill it, nor both build the page.
    exec 9<pyproject.toml
    flock 9
    # The folder's own place counts, too: a virtual environment that was moved or copied runs the programs of the old one.
    pinned=$({ printf '%s\n' "$folder"; cat "$lock"; } | sha256sum)
    built=$({ printf '%s\n' "$pinned"; cat pyproject.toml hatch_build.py; page_sources | xargs -0 cat; } | sha256sum)
    if [ ! -x "$folder/bin/python" ] || [ "$(cat "$folder/.pinned" 2>/dev/null)" != "$pinned" ]; then
      python=$(find_python)
      say "Setting up ${folder#"$project"/} (once; a minute or two) ..."
      "$python" -m venv --clear "$folder" || {
        say 'Making a virtual environment failed; on Debian: apt-get install python3-venv'
        exit 1
      }
      quiet_pip "$folder" --require-hashes -r "$lock"
      printf '%s\n' "$pinned" >"$folder/.pinned"
    fi
    if [ "$(cat "$folder/.built" 2>/dev/null)" != "$built" ]; then
      say 'Installing the project and its page ...'
      quiet_pip "$folder" --no-deps -e .
      printf '%s\n' "$built" >"$folder/.built"
    fi
  ) >&2
}

quiet_pip() { "$1/bin/python" -m pip install --quiet --disable-pip-version-check --no-input "${@:2}"; }

# The files that the page is built from, each ended by a zero byte.
page_sources() {
  find server/web/src server/web/package.json server/web/package-lock.json server/web/build.mjs \
    server/web/tsconfig.json -type f -print0 | sort -z
}
