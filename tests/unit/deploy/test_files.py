"""The files of deploy/ can be read, name settings and keys that exist, and hold no secret; none of them is run here."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from consent_service.config import NAMES, PREFIX, load_config
from tests.proxies import find_proxy

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return found


def manifests() -> list[dict[str, Any]]:
    return [document for path in MANIFESTS for document in yaml.safe_load_all(path.read_text())]


def pods() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for document in manifests():
        if document["kind"] == "StatefulSet":
            for container in document["spec"]["template"]["spec"]["containers"]:
                yield document, container


def test_one_keeper_at_most_is_started(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services) == {"postgres", "clickhouse", "app1", "nginx"}
    assert services["app1"]["volumes"] == ["app1:/data", "keys:/keys"]
    [app] = [document for document, _ in pods() if document["metadata"]["name"] == "consent-service"]
    assert app["spec"]["replicas"] == 1


def test_the_settings_of_the_compose_file_are_taken(compose: dict[str, Any], tmp_path: Path) -> None:
    values = {"POSTGRES_PASSWORD": "pg", "CLICKHOUSE_PASSWORD": "ch", "PUBLIC_URL": "https://consent.example"}
    environ = {f"{PREFIX}SECRET_KEYS": "k" * 40}
    for name, written in compose["services"]["app1"]["environment"].items():
        environ[name] = re.sub(r"\$\{(\w+):\?\}", lambda found: values[found[1]], written)
    config = load_config(environ, data_dir=tmp_path)
    assert config.events_url is not None
    assert (config.events_url.host, config.events_url.password) == ("clickhouse", "ch")
    clickhouse = compose["services"]["clickhouse"]["environment"]
    assert (config.events_url.user, config.events_url.database) == (
        clickhouse["CLICKHOUSE_USER"],
        clickhouse["CLICKHOUSE_DB"],
    )
    [network] = compose["networks"]["inside"]["ipam"]["config"]
    assert [str(each) for each in config.trusted_proxies] == [network["subnet"]]


def test_everything_the_compose_file_mounts_and_names_is_there(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            assert source in compose["volumes"] or (DEPLOY / source).is_file(), (name, source)
        for other in service.get("depends_on", []):
            assert other in compose["services"]
        assert "build" in service or re.search(r":\d", service["image"])


def test_manifests_name_what_there_is() -> None:
    found = manifests()
    assert [document["kind"] for document in found].count("StatefulSet") == 3
    services = {document["metadata"]["name"]: document for document in found if document["kind"] == "Service"}
    for document, container in pods():
        labels = document["spec"]["template"]["metadata"]["labels"]
        assert document["spec"]["selector"]["matchLabels"] == labels
        assert services[document["spec"]["serviceName"]]["spec"]["selector"] == labels
        template = document["spec"]["template"]["spec"]
        volumes = {each["name"] for each in template.get("volumes", [])}
        volumes |= {each["metadata"]["name"] for each in document["spec"]["volumeClaimTemplates"]}
        assert {mount["name"] for mount in container["volumeMounts"]} == volumes
        for each in container["env"]:
            if each["name"].startswith(PREFIX):
                assert each["name"].removeprefix(PREFIX) in NAMES
            assert "value" in each or each["valueFrom"]["secretKeyRef"]["name"] in ("consent", "stores")


def test_a_host_is_probed_where_it_answers_while_a_store_is_away() -> None:
    [app] = [container for document, container in pods() if document["metadata"]["name"] == "consent-service"]
    assert {app[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")} == {
        "/healthz"
    }
    assert app["securityContext"]["readOnlyRootFilesystem"] is True


def test_no_file_holds_a_password() -> None:
    for path in DEPLOY.rglob("*"):
        if path.is_file():
            for line in path.read_text().splitlines():
                line = re.sub(r"\$\{\w+:\?\}", "$", line)
                found = re.search(r"(?i)password\w*['\"]?\s*[:=]\s*['\"]?[^\s'\"$]|://[^:/]+:[^@$]+@", line)
                assert found is None, (path.name, line)


def test_the_log_tables_of_clickhouse_are_off() -> None:
    tree = ElementTree.parse(DEPLOY / "clickhouse.xml").getroot()  # noqa: S314 - our own file
    off = {element.tag for element in tree if element.get("remove") == "1"}
    assert {"query_log", "text_log", "query_thread_log"} <= off


def test_the_image_takes_only_what_is_locked_and_runs_as_nobody() -> None:
    lines = (DEPLOY / "Dockerfile").read_text()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", lines, re.MULTILINE)
    assert copied
    for sources in copied:
        for source in sources.split():
            assert (ROOT / source).exists(), source
    assert "--require-hashes" in lines
    assert "USER 10001" in lines
    subprocess.run(["sh", "-n", str(DEPLOY / "entrypoint.sh")], check=True)


def test_nginx_takes_its_file(tmp_path: Path) -> None:
    nginx = find_proxy("nginx")
    assert nginx is not None, "install nginx (Debian: apt install nginx)"
    text = (DEPLOY / "nginx.conf").read_text()
    # A name that only the composed network knows.
    text = text.replace("app1:8000", "127.0.0.1:18100")
    text = text.replace("/etc/nginx/consent.conf", str(ROOT / "docs" / "proxies" / "nginx.conf"))
    text = text.replace("listen 80;", "listen 127.0.0.1:18180;").replace("127.0.0.1:8000;", "127.0.0.1:18181;")
    own = "".join(
        f"{kind}_temp_path {tmp_path}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    text = text.replace("http {", f"http {{\n{own}", 1)
    file = tmp_path / "nginx.conf"
    file.write_text(f"pid {tmp_path}/pid;\nerror_log {tmp_path}/error;\n{text}")
    done = subprocess.run([nginx, "-t", "-c", str(file), "-p", str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
