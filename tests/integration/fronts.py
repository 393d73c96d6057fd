"""Real web servers in front of a service, configured by the files of docs/proxies and nothing of their own beside."""

from __future__ import annotations

import json
import os
import re
import ssl
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.integration.cli.conftest import EXAMPLES, Deployment
from tests.integration.cli.program import ROOT, Program, free_port, wait_until
from tests.proxies import find_apache_modules, find_proxy

SNIPPETS = ROOT / "docs" / "proxies"
HOST = "nouvelles.example"
ORIGIN = f"https://{HOST}"
# The addresses of the service in the snippets, the only thing tests change in them.
_SERVICE, _SERVICE_URL = "127.0.0.1:8000", "https://consent.example"
_NODE_HOST = Path(__file__).parent / "worker_host.mjs"
# Apache needs these besides the ones the snippet names.
_APACHE_MODULES = ("mpm_event", "authz_core", "unixd", "log_config", "ssl", "socache_shmcb")


def deploy(directory: Path, *, origins: Sequence[str] = (ORIGIN,), **settings: str) -> Deployment:
    """Make a deployment of the news site, whose tag leads to the path, behind a trusted proxy."""
    program = Program(directory, TRUSTED_PROXIES="127.0.0.1/32", WORKERS="1", **settings)
    program.json("init", "--admin", f"admin@{HOST}")
    key = program.json("site", "add", HOST)["key"]
    document = {"name": HOST, "domain": HOST, "origins": list(origins), "service_path": "/_consent"}
    file = directory / "site.json"
    file.write_text(json.dumps({**document, "share_subdomains": len(origins) > 1}))
    program.json("site", "set", key, str(file))
    program.json("policy", "publish", key, str(EXAMPLES / "policy.toml"))
    return Deployment(program, key, ORIGIN)


@dataclass(frozen=True)
class Front:
    """Hold a running web server: where it listens, whom it trusts for TLS, and the directory of all it writes."""

    name: str
    port: int
    directory: Path
    certificate: Path | None
    process: subprocess.Popen[bytes]
    clients: list[httpx.Client] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Give its address."""
        return f"{'http' if self.certificate is None else 'https'}://127.0.0.1:{self.port}"

    def client(self, address: str = "127.0.0.1") -> httpx.Client:
        """Give a client that connects from an address of loopback; it is closed with the web server."""
        trust: Any = True if self.certificate is None else ssl.create_default_context(cafile=str(self.certificate))
        transport = httpx.HTTPTransport(local_address=address, verify=trust)
        self.clients.append(httpx.Client(transport=transport, base_url=self.url, timeout=30))
        return self.clients[-1]

    def ask(self, client: httpx.Client, method: str, path: str, *, host: str = HOST, **options: Any) -> httpx.Response:
        """Send a request to a host of the site; `path` goes out as it is written."""
        headers = {"Host": host, **options.pop("headers", {})}
        extensions = {"sni_hostname": host, "target": path.encode()}
        return client.request(method, path, headers=headers, extensions=extensions, **options)

    def written(self) -> str:
        """Give everything it has written to files, its logs first of all."""
        files = [path for path in sorted(self.directory.rglob("*")) if path.is_file() and path.suffix == ".log"]
        return "\n".join(path.read_text(errors="replace") for path in files)


def read_snippet(name: str, service_port: int) -> str:
    """Read a file of docs/proxies, the service's address alone replaced."""
    text = (SNIPPETS / name).read_text(encoding="utf-8")
    replaced = text.replace(_SERVICE, f"127.0.0.1:{service_port}")
    replaced = replaced.replace(_SERVICE_URL, f"http://127.0.0.1:{service_port}")
    assert replaced != text
    return replaced


@contextmanager
def open_front(name: str, service_port: int, page: str = "") -> Iterator[Front]:
    """Run a web server in front of a service; it answers other paths with `page` where it can, else with 404."""
    program = find_proxy(name)
    assert program is not None
    with tempfile.TemporaryDirectory(prefix=f"consent-{name}-") as place:
        directory, port = Path(place), free_port()
        # Started by root, these servers work as somebody else.
        directory.chmod(0o755)
        certificate = None if name == "worker" else _make_certificate(directory)
        arguments = _SETUPS[name](program, directory, port, service_port, page)
        with (directory / "output.log").open("wb") as output:
            process = subprocess.Popen(
                arguments, cwd=directory, env=_environment(directory), stdout=output, stderr=subprocess.STDOUT
            )
        front = Front(name, port, directory, certificate, process)
        try:
            wait_until(lambda: _answers(front), f"{name} answers")
            yield front
        finally:
            for client in front.clients:
                client.close()
            process.terminate()
            process.wait(30)


def _answers(front: Front) -> bool:
    assert front.process.poll() is None, front.written()
    try:
        front.ask(front.client(), "GET", "/")
    except httpx.TransportError:
        return False
    return True


def _environment(directory: Path) -> Mapping[str, str]:
    return {"PATH": os.environ.get("PATH", ""), "HOME": str(directory), "XDG_DATA_HOME": str(directory)}


def _make_certificate(directory: Path) -> Path:
    """Make a certificate for the site's hosts that signs itself, so that it is its own authority."""
    certificate = directory / "site.crt"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST},DNS:*.{HOST}",
         "-keyout", str(directory / "site.key"), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate


def _nginx(program: str, directory: Path, port: int, service_port: int, page: str) -> list[str]:
    (directory / "snippet.conf").write_text(read_snippet("nginx.conf", service_port))
    (directory / "page.html").write_text(page)
    temporary = "\n".join(f"{kind}_temp_path {directory}/{kind};" for kind in ("proxy", "fastcgi", "uwsgi", "scgi"))
    (directory / "nginx.conf").write_text(f"""
        daemon off;
        pid {directory}/nginx.pid;
        error_log {directory}/error.log error;
        events {{}}
        http {{
            access_log {directory}/access.log combined;
            gzip on;
            gzip_types *;
            expires 1h;
            proxy_intercept_errors on;
            error_page 400 403 404 413 502 504 /none;
            client_body_temp_path {directory}/body;
            {temporary}
            server {{
                listen 127.0.0.1:{port} ssl http2;
                ssl_certificate {directory}/site.crt;
                ssl_certificate_key {directory}/site.key;
                include {directory}/snippet.conf;
                location / {{ default_type text/html; root {directory}; try_files /page.html =404; }}
            }}
        }}
    """)
    return [program, "-p", str(directory), "-e", str(directory / "error.log"), "-c", str(directory / "nginx.conf")]


def _apache(program: str, directory: Path, port: int, service_port: int, page: str) -> list[str]:
    snippet = read_snippet("apache.conf", service_port)
    named = re.search(r"a2enmod (.+)", snippet)
    ending = re.search(r"combined (env=\S+)", snippet)
    assert named is not None
    assert ending is not None
    (directory / "snippet.conf").write_text(snippet)
    folder = find_apache_modules()
    assert folder is not None
    # Which ones are built in differs; those have no file.
    files = {module: folder / f"mod_{module}.so" for module in [*_APACHE_MODULES, *named[1].split()]}
    loaded = "\n".join(f"LoadModule {module}_module {file}" for module, file in files.items() if file.exists())
    owner = "User #65534\nGroup #65534" if os.geteuid() == 0 else ""
    (directory / "apache.conf").write_text(f"""
        ServerRoot {directory}
        ServerName {HOST}
        PidFile {directory}/apache.pid
        DefaultRuntimeDir {directory}
        ErrorLog {directory}/error.log
        LogLevel warn
        {loaded}
        {owner}
        LogFormat "%h %l %u %t \\"%r\\" %>s %b" combined
        Listen 127.0.0.1:{port} https
        <VirtualHost 127.0.0.1:{port}>
            ServerAlias *.{HOST}
            SSLEngine on
            SSLCertificateFile {directory}/site.crt
            SSLCertificateKeyFile {directory}/site.key
            ErrorDocument 404 /none
            ErrorDocument 413 /none
            ErrorDocument 503 /none
            CustomLog {directory}/access.log combined {ending[1]}
            Include {directory}/snippet.conf
        </VirtualHost>
    """)
    return [program, "-D", "FOREGROUND", "-f", str(directory / "apache.conf")]


def _caddy(program: str, directory: Path, port: int, service_port: int, page: str) -> list[str]:
    snippet = read_snippet("Caddyfile", service_port)
    version = subprocess.run([program, "version"], capture_output=True, text=True, check=True).stdout
    numbers = re.search(r"(\d+)\.(\d+)", version)
    if numbers is not None and (int(numbers[1]), int(numbers[2])) < (2, 8):
        # The directive's name before 2.8, which Debian still has.
        snippet = snippet.replace("log_skip", "skip_log")
    options = re.search(r"^#\t\{\n((?:#\t\t.*\n)+)#\t\}\n", snippet, re.MULTILINE)
    assert options is not None
    uncommented = options[1].replace("#\t", "\t")
    (directory / "Caddyfile").write_text(f"""
{{
    admin off
    auto_https off
{uncommented}
}}
:{port} {{
    bind 127.0.0.1
    tls {directory}/site.crt {directory}/site.key
    log {{
        output file {directory}/access.log
    }}
    {snippet}
}}
""")
    return [program, "run", "--config", str(directory / "Caddyfile"), "--adapter", "caddyfile"]


def _worker(program: str, directory: Path, port: int, service_port: int, page: str) -> list[str]:
    (directory / "worker.mjs").write_text(read_snippet("worker.js", service_port))
    return [program, str(_NODE_HOST), str(directory / "worker.mjs"), str(port)]


_SETUPS: Mapping[str, Callable[[str, Path, int, int, str], list[str]]] = {
    "nginx": _nginx,
    "apache": _apache,
    "caddy": _caddy,
    "worker": _worker,
}
