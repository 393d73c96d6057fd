"""Find the web servers that pass a path of a site on; `python -m tests.proxies nginx` tells which program it is."""

import shutil
import sys
from pathlib import Path

# Where tools/setup-test.sh unpacks packages without installing them: an installed web server would start to serve.
UNPACKED = Path(__file__).resolve().parent.parent / ".venv" / "debian"
PROGRAMS = {"nginx": ("nginx",), "apache": ("apache2", "httpd"), "caddy": ("caddy",), "worker": ("node",)}
MEND = {
    "nginx": "apt install nginx",
    "apache": "apt install apache2-bin",
    "caddy": "apt install caddy",
    "worker": "install Node.js 20 or newer",
}
_MODULES = (
    "/usr/lib/apache2/modules",
    "/usr/lib64/httpd/modules",
    "/usr/libexec/apache2",
    "/opt/homebrew/lib/httpd/modules",
)


def find_proxy(name: str) -> str | None:
    """Return the program's path: an installed one, also where only root looks for it, else the unpacked one."""
    for program in PROGRAMS[name]:
        for folder in (None, "/usr/sbin", "/usr/local/sbin", UNPACKED / "usr/sbin", UNPACKED / "usr/bin"):
            if path := shutil.which(program, path=None if folder is None else str(folder)):
                return path
    return None


def find_apache_modules() -> Path | None:
    """Return the directory of Apache's modules."""
    return next((Path(place) for place in _MODULES if (Path(place) / "mod_proxy_http.so").exists()), None)


if __name__ == "__main__":
    found = find_proxy(sys.argv[1])
    if found is None or (sys.argv[1] == "apache" and find_apache_modules() is None):
        sys.exit(1)
    print(found)
