# SPDX-License-Identifier: Apache-2.0
"""What a cluster is made of: ClickHouse, ZooKeeper, Redis, the simulated exchanges, collectors and
servers, with the least memory that each does with.
"""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import urllib.parse

from rig import Process, ask, environment, free_port

USER, PASSWORD = "default", "only-for-this-test"
DATABASE, CLUSTER = "oi", "oi"
EXCHANGES = ["bybit", "hyperliquid", "okx"]
# Months so short that many of them end while the load goes on.
CALLS = 300
BLOCK = 3  # a hundredth of it, see docs/operating.md
KEYS = [f"key-of-the-cluster-{number}" for number in range(200)]
ZOOKEEPER = pathlib.Path("/usr/share/java/zookeeper.jar")

CLICKHOUSE_CONFIG = """<?xml version="1.0"?><yandex>
<logger><level>information</level><log>{folder}/server.log</log><errorlog>{folder}/error.log</errorlog></logger>
<http_port>{port}</http_port><tcp_port>{tcp}</tcp_port><listen_host>127.0.0.1</listen_host>
<interserver_http_port>{between}</interserver_http_port><interserver_http_host>127.0.0.1</interserver_http_host>
<keep_alive_timeout>600</keep_alive_timeout><mark_cache_size>67108864</mark_cache_size>
<uncompressed_cache_size>0</uncompressed_cache_size><max_concurrent_queries>100</max_concurrent_queries>
<path>{folder}/data/</path><tmp_path>{folder}/scratch/</tmp_path>
<user_files_path>{folder}/files/</user_files_path><format_schema_path>{folder}/schemas/</format_schema_path>
<users_config>{folder}/users.xml</users_config><default_profile>default</default_profile>
<default_database>default</default_database><timezone>UTC</timezone><mlock_executable>false</mlock_executable>
<remote_servers><{cluster}>{shards}</{cluster}></remote_servers>
<macros><shard>{shard}</shard><replica>{name}</replica></macros>
<zookeeper><node><host>127.0.0.1</host><port>{zookeeper}</port></node>
<session_timeout_ms>4000</session_timeout_ms></zookeeper>
<distributed_ddl><path>/clickhouse/task_queue/ddl</path></distributed_ddl>
</yandex>"""
USERS_CONFIG = """<?xml version="1.0"?><yandex>
<profiles><default><max_threads>2</max_threads><max_memory_usage>1000000000</max_memory_usage>
<background_pool_size>4</background_pool_size><log_queries>0</log_queries></default></profiles>
<users><{user}><password>{password}</password><networks><ip>127.0.0.1</ip></networks>
<profile>default</profile><quota>default</quota></{user}></users>
<quotas><default></default></quotas></yandex>"""


def missing():
    """Why this machine cannot run a cluster, or None."""
    for program in ["clickhouse-server", "redis-server", "java"]:
        if not shutil.which(program):
            return f"{program} is not installed"
    return None if ZOOKEEPER.exists() else "zookeeper is not installed"


class Zookeeper(Process):
    """One ZooKeeper; what it has answered is on its disk."""

    kind = "zookeeper"

    def arguments(self):
        config = self.folder / "zoo.cfg"
        config.write_text(f"tickTime=500\ndataDir={self.folder}/data\nclientPort={self.port}\n"
                          "clientPortAddress=127.0.0.1\nadmin.enableServer=false\nmaxClientCnxns=0\n"
                          "4lw.commands.whitelist=ruok,srvr\n", "ascii")
        return ["java", "-Xmx128m", "-cp", str(ZOOKEEPER),
                "org.apache.zookeeper.server.ZooKeeperServerMain", str(config)]

    def is_ready(self):
        with socket.create_connection(("127.0.0.1", self.port), 2) as link:
            link.sendall(b"srvr")
            return b"Mode: standalone" in link.recv(1024)


class Redis(Process):
    """It keeps nothing on disk: killed, it has forgotten everything."""

    kind = "redis"

    def arguments(self):
        return ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
                "--appendonly", "no"]

    def is_ready(self):
        with socket.create_connection(("127.0.0.1", self.port), 2) as link:
            link.sendall(b"PING\r\n")
            return link.recv(64).startswith(b"+PONG")


class Clickhouse(Process):
    """One replica of one shard."""

    kind = "clickhouse"
    may_fall = True  # 18.16 does, now and then, in its client of ZooKeeper

    def __init__(self, folder, name, shard, zookeeper):
        super().__init__(folder, name)
        self.shard, self.zookeeper = shard, zookeeper
        self.tcp, self.between = free_port(), free_port()
        for part in ["data", "scratch", "files", "schemas"]:
            (self.folder / part).mkdir()

    def configure(self, nodes):
        """Write the configuration: each node names all of them."""
        shards = ""
        for shard in sorted({node.shard for node in nodes}):
            replicas = "".join(
                f"<replica><host>127.0.0.1</host><port>{node.tcp}</port><user>{USER}</user>"
                f"<password>{PASSWORD}</password></replica>" for node in nodes if node.shard == shard)
            shards += f"<shard><internal_replication>true</internal_replication>{replicas}</shard>"
        (self.folder / "config.xml").write_text(CLICKHOUSE_CONFIG.format(
            folder=self.folder, port=self.port, tcp=self.tcp, between=self.between, cluster=CLUSTER,
            shards=shards, shard=self.shard, name=self.name, zookeeper=self.zookeeper.port), "ascii")
        (self.folder / "users.xml").write_text(
            USERS_CONFIG.format(user=USER, password=PASSWORD), "ascii")

    def arguments(self):
        return ["clickhouse-server", f"--config-file={self.folder}/config.xml"]

    def is_ready(self):
        return self.query("SELECT count() FROM system.zookeeper WHERE path = '/'") != []

    def query(self, statement, **settings):
        """The answer to a statement as rows of texts."""
        path = f"/?user={USER}&password={PASSWORD}&" + urllib.parse.urlencode(settings)
        status, body = ask(self.port, path, 30, method="POST", body=statement)
        if status != 200:
            raise OSError(f"{self.name}: {body[:300]}")
        return [line.split("\t") for line in body.splitlines()]


class Simulator(Process):
    """The exchanges."""

    kind = "simulator"

    def __init__(self, binary, folder, name):
        super().__init__(folder, name)
        self.binary = binary

    def arguments(self):
        return [self.binary, "demo", "--listen", f"127.0.0.1:{self.port}"]

    def is_ready(self):
        return ask(self.port, "/simulator/status")[0] == 200


class Collector(Process):
    """Watches all exchanges, as the other one does."""

    kind = "collector"

    def __init__(self, binary, folder, name, store, simulator):
        super().__init__(folder, name)
        self.binary, self.store = binary, store
        self.simulator = simulator
        self.started = 0

    def arguments(self):
        self.started = self.said().count("oi collects into") if (self.folder / "log").exists() else 0
        return [self.binary, "collect", "--store", self.store, "--data", str(self.folder / "data"),
                "--demo", "--demo-at", f"http://127.0.0.1:{self.simulator.port}", "--no-streams",
                *(word for name in EXCHANGES for word in ("--exchange", name))]

    def is_ready(self):
        return self.said().count("oi collects into") > self.started


class Server(Process):
    """Answers, and counts its keys' calls together with the other one."""

    kind = "server"

    def __init__(self, binary, folder, name, store, redis):
        super().__init__(folder, name)
        self.binary, self.store = binary, store
        self.redis = redis

    def arguments(self):
        return [self.binary, "serve", "--no-collect", "--store", self.store,
                "--data", str(self.folder / "data"), "--listen", f"127.0.0.1:{self.port}",
                "--threads", "2", "--quota-redis", f"redis://127.0.0.1:{self.redis.port}/0",
                "--quota-servers", "2", "--plan-rules", f"month calls={CALLS}", "--key-plan", "month",
                *(word for key in KEYS for word in ("--key", key))]

    def is_ready(self):
        return ask(self.port, "/readyz")[0] in (200, 503)

    def newest(self):
        """(market, time) of the newest reading of each."""
        status, body = ask(self.port, "/oi/v1/latest?limit=10000",
                           headers={"Authorization": f"Bearer {KEYS[-1]}"})
        return {(row["market"], row["time"]) for row in json.loads(body)["data"]} if status == 200 else set()


def run(binary, *arguments):
    """A command to its end; (code, stdout, stderr)."""
    done = subprocess.run([binary, *arguments], env=environment(),
                          capture_output=True, text=True, timeout=240, check=False)
    return done.returncode, done.stdout, done.stderr


def memory_of(process):
    """Resident megabytes."""
    pages = pathlib.Path(f"/proc/{process.child.pid}/statm").read_text("ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE") >> 20
