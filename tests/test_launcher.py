"""The launcher's refusals: one clear line each, exit 2."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def launch(*arguments: str, root: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    # Not the tests' cache of compiled modules: pip would leave those of every new environment in it.
    outer = {name: value for name, value in os.environ.items() if name != "PYTHONPYCACHEPREFIX"}
    return subprocess.run(
        [sys.executable, str(root / "tunewise"), *arguments],
        env={**outer, **env},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A checkout that has never been started: the launcher and its locks."""
    shutil.copy(ROOT / "tunewise", tmp_path / "tunewise")
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    return tmp_path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_busy_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = launch("up", "--port", str(port), DATA_DIR=str(tmp_path))
    assert done.returncode == 2
    assert done.stderr == (
        f"tunewise: port {port} on 127.0.0.1 cannot be used ([Errno 98] Address already in use); "
        "choose another with --port\n"
    )


def test_an_unwritable_data_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    data = tmp_path / "file" / "data"
    done = launch("up", "--port", str(free_port()), DATA_DIR=str(data))
    assert done.returncode == 2
    assert done.stderr == (
        f"tunewise: cannot write to {data} (Not a directory); set DATA_DIR to a folder you may write\n"
    )


def test_a_missing_venv_module_is_named(copy: Path, tmp_path: Path) -> None:
    broken = tmp_path / "as-debian-ships-it"
    broken.mkdir()
    (broken / "ensurepip.py").write_text("raise ImportError('not installed')\n")
    done = launch("up", "--port", str(free_port()), root=copy, DATA_DIR=str(copy / "var"), PYTHONPATH=str(broken))
    assert done.returncode == 2
    assert done.stderr == (
        "tunewise: Python's venv module is missing; install it "
        "(Debian, Ubuntu: apt install python3-venv), then run again\n"
    )


def test_no_network_is_named(copy: Path) -> None:
    nowhere = {
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_EXTRA_INDEX_URL": "",
        "PIP_RETRIES": "0",
        "PIP_NO_CACHE_DIR": "1",
        "UV_INDEX_URL": "http://127.0.0.1:9/simple",
    }
    done = launch("up", "--port", str(free_port()), root=copy, DATA_DIR=str(copy / "var"), **nowhere)
    assert done.returncode == 2
    assert done.stderr == (
        "tunewise: the packages could not be installed; check the network (or the proxy pip uses) and run this again\n"
    )


def test_an_unknown_argument_is_refused() -> None:
    done = launch("up", "--prot", "1")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "tunewise: error: up does not know --prot 1"
