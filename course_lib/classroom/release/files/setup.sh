#!/usr/bin/env bash
# Run once, by root, when Gradescope builds the image: Ubuntu 22.04 or newer.
set -euo pipefail
autograder=${AUTOGRADER:-/autograder}
export DEBIAN_FRONTEND=noninteractive

apt-get update -qq
apt-get install -y -qq bubblewrap python3 python3-venv
python=python3
if ! python3 -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))'; then
    apt-get install -y -qq python3.11 python3.11-venv # Ubuntu 22.04 has it beside its own 3.10
    python=python3.11
fi

"$python" -m venv "$autograder/venv"
"$autograder/venv/bin/pip" install --quiet --no-cache-dir --requirement "$autograder/source/requirements.lock"
chmod 700 "$autograder/source" # the declarations and the secret; the sandbox has neither
