"""Every command that prints data does so as one JSON document, and does what it says."""

import json
import stat
import tomllib
from pathlib import Path

import click
import pytest

from consent_service.cli import commands
from tests.integration.cli.conftest import EXAMPLES, Deployment
from tests.integration.cli.program import Program

UNKNOWN = "0" * 32


def test_init_makes_a_directory_for_its_owner_alone_and_prints_a_link(tmp_path: Path) -> None:
    program = Program(tmp_path / "deep" / "data")

    made = program.json("init", "--admin", "Officer@Example.org")

    assert made["data_dir"] == str(program.data_dir)
    assert made["admin"] == "officer@example.org"
    assert made["setup_url"].startswith("http://127.0.0.1:8000/console/login/setup-")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in program.data_dir.iterdir()}
    assert stat.S_IMODE(program.data_dir.stat().st_mode) == 0o700
    assert modes == dict.fromkeys(("secrets.json", "ledger.json", "ledger.guard", "consent.sqlite"), 0o600)


def test_init_again_keeps_the_secrets_and_completes_what_is_missing(copy: Program) -> None:
    secrets = (copy.data_dir / "secrets.json").read_bytes()
    (copy.data_dir / "consent.sqlite").unlink()

    copy.json("init")

    assert (copy.data_dir / "secrets.json").read_bytes() == secrets
    assert copy.json("db", "check")["ok"] is True


def test_init_again_gives_a_new_link_while_nobody_can_log_in(copy: Program) -> None:
    first = copy.json("init")
    second = copy.json("init")

    assert first["admin"] == second["admin"] == "admin@nouvelles.example"
    assert first["setup_url"] != second["setup_url"]


def test_init_with_secrets_in_the_settings_writes_no_secrets_file(tmp_path: Path) -> None:
    program = Program(tmp_path / "data", SECRET_KEYS="k" * 40)

    program.json("init")

    assert not (program.data_dir / "secrets.json").exists()
    assert program.json("site", "list") == []


def test_a_site_is_added_with_its_tag_and_both_hosts_as_origins(copy: Program) -> None:
    added = copy.json("site", "add", "blog.example", "--name", "Blog", "--timezone", "UTC", "--languages", "en,de")

    assert added["name"] == "Blog"
    assert added["origins"] == ["https://blog.example", "https://www.blog.example"]
    assert added["languages"] == ["en", "de"]
    assert added["policy_version"] is None
    source = f"http://127.0.0.1:8000/c/{added['key']}.js"
    assert added["snippet"] == f'<script defer src="{source}" referrerpolicy="origin"></script>'
    assert [site["domain"] for site in copy.json("site", "list")] == ["nouvelles.example", "blog.example"]


def test_the_list_of_sites_has_the_names_other_programs_rely_on(deployment: Deployment) -> None:
    [site] = deployment.program.json("site", "list")

    assert site == {
        "key": deployment.site,
        "domain": "nouvelles.example",
        "name": "nouvelles.example",
        "origins": ["https://nouvelles.example", "https://www.nouvelles.example"],
        "timezone": "Europe/Paris",
        "paused": False,
        "policy_version": 1,
    }


def test_what_site_show_prints_can_be_set_again(copy: Program, deployment: Deployment, tmp_path: Path) -> None:
    key, file = deployment.site, tmp_path / "site.toml"
    copy.json("site", "set", key, str(EXAMPLES / "site.toml"))
    shown = copy.run("site", "show", key).stdout
    file.write_text(shown)

    again = copy.json("site", "set", key, str(file))

    assert again["settings"] == copy.json("site", "show", key)["settings"]
    assert again["settings"]["excluded_paths"] == tomllib.loads((EXAMPLES / "site.toml").read_text())["excluded_paths"]


def test_a_site_is_paused_and_resumed(copy: Program, deployment: Deployment) -> None:
    assert copy.json("site", "pause", deployment.site)["paused"] is True
    assert copy.json("site", "list")[0]["paused"] is True
    assert copy.json("site", "resume", deployment.site)["paused"] is False


def test_origins_come_and_go(copy: Program, deployment: Deployment) -> None:
    key, origin = deployment.site, "https://m.nouvelles.example"

    assert origin in copy.json("site", "origin", "add", key, origin)["origins"]
    assert copy.refused("site", "origin", "add", key, origin)[0].startswith(f"{origin} is an origin of {key} already")
    [problem] = copy.refused("site", "origin", "add", key, "http://m.nouvelles.example")
    assert "must begin with https" in problem
    assert origin not in copy.json("site", "origin", "remove", key, origin)["origins"]
    assert copy.refused("site", "origin", "remove", key, origin)[0].startswith(f"{origin} is no origin of {key}")


def test_policies_are_published_shown_and_compared(copy: Program, deployment: Deployment, tmp_path: Path) -> None:
    key, file = deployment.site, tmp_path / "policy.toml"
    file.write_text((EXAMPLES / "policy.toml").read_text().replace("valid_days = 180", "valid_days = 90"))

    published = copy.json("policy", "publish", key, str(file))

    assert published["version"] == 2
    assert published["asks_again"] is False
    assert sorted(published["banner_hashes"]) == ["en", "es", "fr"]
    assert copy.json("policy", "show", key, "--version", "1")["policy"]["valid_days"] == 180
    assert copy.json("policy", "diff", key, "1", "2")["changes"] == [
        {"path": "valid_days", "kind": "changed", "before": 180, "after": 90}
    ]
    assert copy.run("policy", "diff", key, "1", "2").stdout.startswith("~ valid_days: 180 → 90\n")
    assert copy.refused("policy", "show", key, "--version", "7") == [f"{key} has no policy version 7; there are 1, 2"]


def test_what_policy_show_prints_says_the_same_when_published(deployment: Deployment, tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(deployment.program.run("policy", "show", deployment.site).stdout)

    [problem] = deployment.program.refused("policy", "publish", deployment.site, str(file))

    assert problem.endswith("nothing changed since the version before")


def test_a_material_change_says_that_visitors_are_asked_again(
    copy: Program, deployment: Deployment, tmp_path: Path
) -> None:
    text = (EXAMPLES / "policy.toml").read_text()
    wider = text.replace('"country", "engagement"]', '"country", "engagement", "region"]')
    assert wider != text
    file = tmp_path / "policy.toml"
    file.write_text(wider)
    assert "material_purposes" in copy.refused("policy", "publish", deployment.site, str(file))[0]
    declared = wider.replace("material_purposes = []", 'material_purposes = ["analytics"]')
    reason = '[material_reason]\nfr = "La région aussi."\nen = "The region too."\nes = "La región también."\n'
    file.write_text(declared.replace("[material_reason]", reason, 1))

    published = copy.json("policy", "publish", deployment.site, str(file))

    assert published["asks_again"] is True
    assert published["asks_refusers_again"] is False


def test_a_policy_file_is_compared_with_a_published_version_and_not_published(
    copy: Program, deployment: Deployment, tmp_path: Path
) -> None:
    key, file = deployment.site, tmp_path / "policy.toml"
    file.write_text((EXAMPLES / "policy.toml").read_text().replace("valid_days = 180", "valid_days = 90"))

    told = copy.json("policy", "diff", key, "1", str(file))

    assert told == {
        "site": key,
        "from": 1,
        "to": str(file),
        "changes": [{"path": "valid_days", "kind": "changed", "before": 180, "after": 90}],
        "asked": {"grants": 0, "refusals": 0},
    }
    lines = copy.run("policy", "diff", key, "1", str(file)).stdout.splitlines()
    assert lines == ["~ valid_days: 180 → 90", "Nobody whose choice is in force is asked again."]
    assert copy.refused("policy", "show", key, "--version", "2") == [f"{key} has no policy version 2; there are 1"]
    file.write_text("version =")
    assert copy.refused("policy", "diff", key, "1", str(file))[0].startswith(str(file))
    assert str(tmp_path / "none.toml") in copy.refused("policy", "diff", key, "1", str(tmp_path / "none.toml"))[0]


def test_a_policy_that_leaves_settings_behind_is_published_with_a_warning(
    copy: Program, deployment: Deployment, tmp_path: Path
) -> None:
    copy.json("site", "set", deployment.site, str(EXAMPLES / "site.toml"))
    document = {**tomllib.loads((EXAMPLES / "policy.toml").read_text()), "audience": "children", "purposes": []}
    file = tmp_path / "policy.json"
    file.write_text(json.dumps(document))

    published = copy.json("policy", "publish", deployment.site, str(file))

    assert [item["message"] for item in published["warnings"] if item["place"] == "purposes"] == [
        f"the site's setting {place} names the purpose analytics, which the policy does not have"
        for place in ("consent_mode.analytics", "uet.analytics", "blocking[0].purpose")
    ]


def test_a_policy_file_is_checked_with_every_problem_and_its_line(deployment: Deployment, tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    text = (EXAMPLES / "policy.toml").read_text()
    file.write_text(text.replace("valid_days = 180 ", "valid_days = 999 ").replace("refusal_days = 180 ", "days = 1 "))

    lines = deployment.program.refused("policy", "check", str(file))

    assert len(lines) == 3
    assert all(line.startswith(f"{file}: line ") for line in lines)
    done = deployment.program.run("policy", "check", str(file), "--json")
    document = json.loads(done.stdout)
    assert (done.returncode, done.stderr, document["ok"]) == (1, "", False)
    assert {problem["place"] for problem in document["problems"]} == {"valid_days", "days", "refusal_days"}
    assert deployment.program.json("policy", "check", str(EXAMPLES / "policy.toml"))["ok"] is True


def test_tokens_are_made_listed_and_revoked(copy: Program, deployment: Deployment) -> None:
    scopes = ("--scope", "stats:read", "--scope", "consent:read")
    made = copy.json("token", "create", "--site", deployment.site, *scopes, "--public", "--expires", "7")

    assert made["scopes"] == ["stats:read", "consent:read"]
    assert made["site"] == deployment.site
    [listed] = copy.json("token", "list")
    assert (listed["id"], listed["state"], listed["public"]) == (made["id"], "valid", True)
    assert listed["expires_at"].endswith("Z")
    assert made["token"] not in json.dumps(listed)
    assert copy.json("token", "revoke", made["id"]) == {"id": made["id"], "revoked": True}
    assert copy.json("token", "list")[0]["state"] == "revoked"
    assert copy.refused("token", "revoke", made["id"])[0].startswith("there is no token")


def test_people_are_let_in_by_one_time_links(copy: Program, deployment: Deployment) -> None:
    role = ("--role", "analyst", "--site", deployment.site)
    added = copy.json("user", "add", "ana@example.org", *role)

    assert (added["email"], added["role"], added["sites"]) == ("ana@example.org", "analyst", [deployment.site])
    assert copy.json("user", "reset", "ana@example.org")["setup_url"] != added["setup_url"]
    assert "already" in copy.refused("user", "add", "ana@example.org", *role)[0]
    assert copy.refused("user", "reset", "no@example.org") == ["there is no user no@example.org"]
    assert "e-mail address" in copy.refused("user", "add", "ana", *role)[0]


def test_links_are_made_for_the_public_url(copy: Program, deployment: Deployment) -> None:
    copy.settings["PUBLIC_URL"] = "https://consent.example"

    assert "https://consent.example/c/" in copy.json("site", "show", deployment.site)["snippet"]
    assert copy.json("user", "add", "b@example.org", "--role", "viewer")["setup_url"].startswith(
        "https://consent.example/console/login/"
    )


def test_status_without_a_server_says_so_and_what_to_mend(copy: Program, deployment: Deployment) -> None:
    bare = copy.json("site", "add", "blog.example")["key"]

    status = copy.json("status")

    assert status["processes"] == []
    assert status["inbox"] == {"rows": 0, "oldest_seconds": 0.0}
    assert status["last_drain"] is None
    warnings = "\n".join(status["warnings"])
    assert "no server runs here" in warnings
    assert f"{bare} (blog.example) has no policy" in warnings
    assert f"{deployment.site} (nouvelles.example) is not first-party" in warnings
    assert f"{deployment.site} (nouvelles.example) is on https and PUBLIC_URL is not" in warnings


def test_a_site_that_passes_a_path_on_is_first_party_and_its_tag_says_so(
    copy: Program, deployment: Deployment, tmp_path: Path
) -> None:
    settings = copy.json("site", "show", deployment.site)["settings"]
    file = tmp_path / "site.json"
    file.write_text(json.dumps({**settings, "service_path": "/_consent"}))
    copy.json("site", "set", deployment.site, str(file))

    shown = copy.json("site", "show", deployment.site)
    assert f'<script defer src="/_consent/c/{deployment.site}.js" ' in shown["snippet"]
    warnings = "\n".join(copy.json("status")["warnings"])
    assert "first-party" not in warnings
    assert "served under /_consent and no proxy is trusted" in warnings

    copy.settings["TRUSTED_PROXIES"] = "127.0.0.1/32"
    warnings = "\n".join(copy.json("status")["warnings"])
    assert deployment.site not in warnings


def test_a_first_party_service_warns_of_nothing_but_itself(copy: Program) -> None:
    copy.settings["PUBLIC_URL"] = "https://www.nouvelles.example"

    itself, anchor = copy.json("status")["warnings"]
    assert itself == "no server runs here; start one with: consent-service serve"
    assert anchor.startswith("an anchor missing: no place outside this server keeps the ledger's checkpoints")


def test_retention_counts_in_a_dry_run_and_compacts_on_request(copy: Program, deployment: Deployment) -> None:
    counted = copy.json("retention", "run", "--dry-run")
    done = copy.json("retention", "run", "--compact")

    assert (counted["dry_run"], counted["compaction"]) == (True, None)
    assert [site["site"] for site in counted["sites"]] == [deployment.site]
    assert counted["sites"][0]["events_before"].endswith("Z")
    assert set(done["compaction"]) == {"before_bytes", "after_bytes", "seconds"}


def test_an_erasure_needs_a_receipt_there_is(deployment: Deployment) -> None:
    assert deployment.program.refused("erase", "--receipt", UNKNOWN)[0].startswith(f"there is no receipt {UNKNOWN}")
    assert "32 characters" in deployment.program.refused("erase", "--receipt", "x", code=2)[0]


def test_the_database_is_checked_and_upgraded(copy: Program) -> None:
    state = copy.json("db", "check")

    assert state["ok"] is True
    assert state["current"] == state["head"]
    assert copy.json("db", "upgrade") == {"from": state["head"], "to": state["head"]}


@pytest.mark.parametrize("name", ["site", "policy", "user", "token", "retention", "db"])
def test_every_command_that_prints_data_takes_json(name: str) -> None:
    group = commands.get_command(click.Context(commands), name)
    assert isinstance(group, click.Group)
    leaves = list(group.commands.values())
    while leaves:
        leaf = leaves.pop()
        leaves.extend(getattr(leaf, "commands", {}).values())
        if not hasattr(leaf, "commands"):
            assert {"--json", "--data-dir"} <= {option for item in leaf.params for option in item.opts}
