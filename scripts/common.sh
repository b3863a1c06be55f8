# What the scripts share: where the project is, and a virtual environment that is made anew only when something changed.
# shellcheck shell=bash
project=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)

say() { printf '%s\n' "$*" >&2; }

find_python() {
  local python
  for python in python3 python3.13 python3.12 python3.11; do
    if command -v "$python" >/dev/null && "$python" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))'; then
      printf '%s\n' "$python"
      return
    fi
  done
  say 'This needs Python 3.11 or newer as python3.'
  return 1
}

# make_environment FOLDER LOCK: FOLDER holds what LOCK pins, and the project itself, editable.
make_environment() {
  local folder=$1 lock=$2 python stamp
  stamp=$(cd "$project" && cat pyproject.toml hatch_build.py "$lock" server/web/package-lock.json server/web/build.mjs \
    $(find server/web/src -type f | sort) | sha256sum | cut -d' ' -f1)
  if [ -e "$folder/.stamp" ] && [ "$(cat "$folder/.stamp")" = "$stamp" ]; then return; fi
  python=$(find_python)
  say "Setting up ${folder#"$project"/} (once; a minute or two) ..."
  [ -x "$folder/bin/python" ] || "$python" -m venv "$folder" || {
    say 'Making a virtual environment failed; on Debian: apt-get install python3-venv'
    return 1
  }
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$project/$lock" >&2
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -e "$project" >&2
  printf '%s' "$stamp" >"$folder/.stamp"
}
