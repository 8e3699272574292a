"""A real S3 server: Ceph RGW on loopback, one monitor, one store in memory, one gateway."""

import shutil
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

from tests.storage.server import KEY, SECRET, S3Server, free_ports

PROGRAMS = (
    "setpriv",
    "ceph",
    "ceph-mon",
    "ceph-osd",
    "ceph-authtool",
    "monmaptool",
    "radosgw",
    "radosgw-admin",
)
INSTALL = "apt-get install -y --no-install-recommends radosgw ceph-mon ceph-osd"
LONGEST = 120.0
CONFIGURATION = """
[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{v2},v1:127.0.0.1:{v1}]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
# Without cephx the gateway waits for ever.
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = {folder}/keyring
mon auth allow insecure global id reclaim = false
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 2
osd pool default pgp num = 2
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 2000
osd objectstore = memstore
memstore device bytes = 4294967296
osd op num shards = 2
run dir = {folder}
log file = {folder}/$name.log
admin socket = {folder}/$name.$pid.asok
pid file = {folder}/$name.pid
crash dir = {folder}
mon data = {folder}/mon
osd data = {folder}/osd
osd max object name len = 256
osd max object namespace len = 64
mon osd full ratio = .99
mon data avail warn = 1
mon data avail crit = 0
mon warn on pool no redundancy = false
rgw data = {folder}/rgw
[client.rgw.a]
# With Nagle's algorithm each GET takes 44 ms.
rgw frontends = beast endpoint=127.0.0.1:{port} tcp_nodelay=1
rgw thread pool size = 64
rgw enable usage log = false
rgw enable ops log = false
rgw num rados handles = 1
rgw override bucket index max shards = 1
rgw gc max objs = 4
rgw run sync thread = false
rgw relaxed s3 bucket names = true
rgw verify ssl = false
"""


class Ceph:
    """The server; a context manager that starts and stops it.

    Its programs run in the foreground, as children of this process: whatever happens here, they
    can be ended.
    """

    def __init__(self, folder: Path) -> None:
        missing = [program for program in PROGRAMS if shutil.which(program) is None]
        if missing:
            raise RuntimeError(
                f"{', '.join(missing)} not found: {INSTALL} (or NGFFSEG_TEST_S3=moto for a stand-in)"
            )
        self.folder = folder
        self.running: dict[str, subprocess.Popen] = {}
        for name in ("mon", "osd", "rgw"):
            (folder / name).mkdir(parents=True)
        v2, v1, self.port = free_ports(3)
        self.fsid = str(uuid.uuid4())
        text = CONFIGURATION.format(fsid=self.fsid, v2=v2, v1=v1, port=self.port, folder=folder)
        self.monitor = f"[v2:127.0.0.1:{v2},v1:127.0.0.1:{v1}]"
        self.configuration = folder / "ceph.conf"
        self.configuration.write_text(text, encoding="utf-8")

    def __enter__(self) -> S3Server:
        try:
            self._make()
            self.start_gateway()
            self._run("radosgw-admin", "-n", "client.rgw.a", "user", "create", "--uid=ngffseg",
                      "--display-name=ngffseg", f"--access-key={KEY}", f"--secret-key={SECRET}")  # fmt: skip
        except BaseException:
            self.__exit__()
            raise
        return S3Server(f"http://127.0.0.1:{self.port}", self.stop_gateway, self.start_gateway)

    def _make(self) -> None:
        map_, ring = self.folder / "monmap", self.folder / "keyring"
        self._run("monmaptool", "--create", "--addv", "a", self.monitor, "--fsid", self.fsid, map_)
        self._run(
            "ceph-authtool", "--create-keyring", ring, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *"
        )
        self._run("ceph-authtool", ring, "--gen-key", "-n", "client.admin",
                  "--cap", "mon", "allow *", "--cap", "osd", "allow *")  # fmt: skip
        self._run("ceph-authtool", ring, "--gen-key", "-n", "client.rgw.a",
                  "--cap", "mon", "allow rw", "--cap", "osd", "allow rwx")  # fmt: skip
        self._run("ceph-authtool", ring, "--gen-key", "-n", "osd.0",
                  "--cap", "mon", "allow profile osd", "--cap", "osd", "allow *")  # fmt: skip
        self._run("ceph-mon", "--mkfs", "-i", "a", "--monmap", map_, "--keyring", ring)
        self._start("mon", "ceph-mon", "-i", "a")
        store = str(uuid.uuid4())
        self._run("ceph", "osd", "new", store)
        self._run("ceph", "auth", "rm", "osd.0")
        self._run("ceph", "auth", "add", "osd.0", "-i", ring)
        self._run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", store)
        self._start("osd", "ceph-osd", "-i", "0")

    def _run(self, program: str, *words: object) -> None:
        conf = [] if program in ("ceph-authtool", "monmaptool") else ["-c", str(self.configuration)]
        done = subprocess.run(
            [program, *conf, *map(str, words)], capture_output=True, text=True, timeout=LONGEST, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{program} {words}: {done.stderr[-2000:]}")

    def _start(self, name: str, program: str, *words: str) -> None:
        with (self.folder / f"{name}.out").open("wb") as out:
            # However this process ends, its children end with it.
            self.running[name] = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", program, "-f", "-c", str(self.configuration), *words],
                stdout=out,
                stderr=out,
            )

    def start_gateway(self) -> None:
        """Start the gateway, and wait until it answers."""
        self._start("rgw", "radosgw", "-n", "client.rgw.a")
        end = time.monotonic() + LONGEST
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=5):
                    return
            except urllib.error.HTTPError as error:
                error.close()
                return
            except OSError as error:
                gone = [n for n, process in self.running.items() if process.poll() is not None]
                if gone or time.monotonic() > end:
                    tail = (self.folder / f"{(gone or ['rgw'])[0]}.out").read_text("utf-8", "replace")[-2000:]
                    raise RuntimeError(f"Ceph did not start ({error}, ended: {gone}): {tail}") from error
            time.sleep(0.1)

    def stop_gateway(self) -> None:
        """Kill the gateway; its objects stay."""
        self._end("rgw")

    def _end(self, name: str) -> None:
        # All is in memory, and a gateway whose store is gone does not heed SIGTERM.
        process = self.running.pop(name, None)
        if process is not None:
            process.kill()
            process.wait()

    def __exit__(self, *_reason: object) -> None:
        for name in ("rgw", "osd", "mon"):
            self._end(name)
