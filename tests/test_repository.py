"""What the repository promises about itself."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEXT = {".py", ".md", ".toml", ".txt", ".html", ".css", ".js", ".yml", ".yaml", ".csv", ".json", ".typ", ".svg", ""}


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / line for line in listed.splitlines() if (ROOT / line).is_file()]


def test_every_variable_the_product_reads_is_in_the_example() -> None:
    read = set(re.findall(r"""(?:env\.\w+|_bool)\(\s*"([A-Z_]+)\"""", (ROOT / "config/settings.py").read_text()))
    listed = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.M))
    assert listed == read | {"SECRET_KEY"}


def test_every_dependency_is_pinned_and_has_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    rows = re.findall(r'^    "([\w\[\],.-]+)==([\w.]+)[^"]*",(.*)$', text, re.M)
    project = tomllib.loads(text)["project"]
    count = len(project["dependencies"]) + sum(len(v) for v in project["optional-dependencies"].values())
    assert len(rows) == count
    assert [name for name, _, comment in rows if not comment.strip().startswith("#")] == []


def test_locks_hold_hashes_and_no_address() -> None:
    for lock in (ROOT / "requirements").glob("*.txt"):
        text = lock.read_text()
        assert "--hash=sha256:" in text
        assert not re.search(r"https?://|--index-url|--find-links|file:", text)


def test_locks_hold_the_declared_versions() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {re.sub(r"\[.*?\]", "", d.split(";")[0]).strip().lower() for d in project["dependencies"]}
    locked = set(re.findall(r"^([\w.-]+==[\w.]+)", (ROOT / "requirements/base.txt").read_text(), re.M))
    assert wanted - locked == set()


def test_launcher_is_short_and_needs_only_the_standard_library() -> None:
    lines = (ROOT / "tunewise").read_text().splitlines()
    imported = {m for line in lines if (m := re.match(r"\s*(?:import|from) (\w+)", line))}
    assert len(lines) <= 200
    assert {m.group(1) for m in imported} <= sys.stdlib_module_names


def test_generated_docs_are_fresh() -> None:
    done = subprocess.run([sys.executable, "docs/generate.py", "--check"], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def test_no_machine_path_and_no_registry_host_is_named() -> None:
    pattern = re.compile(r"/(?:home|root|work|Users)/\w|pypi\.org|pythonhosted|registry\.npmjs|deb\.debian", re.I)
    found = {
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked()
        if path.suffix in TEXT and path != Path(__file__).resolve()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="ignore").splitlines(), 1)
        if pattern.search(line)
    }
    assert found == set()


def test_readme_names_the_two_commands_and_its_picture_exists() -> None:
    readme = (ROOT / "README.md").read_text()
    assert "./tunewise up" in readme
    assert "./tunewise test" in readme
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", readme):
        assert (ROOT / picture).is_file()


def test_changelog_tells_of_the_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert re.search(rf"^## {re.escape(version)}\b", (ROOT / "CHANGELOG.md").read_text(), re.M)
