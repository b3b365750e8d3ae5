#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A cluster on the loopback, its processes killed one after another under load, and what must hold then."""
import argparse
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import checks
from load import Load, Truth, minute_text
from processes import (CLUSTER, DATABASE, KEYS, PASSWORD, USER, Clickhouse, Collector, Redis, Server,
                       Simulator, Zookeeper, memory_of, missing, run)
from rig import Failure, ask, until

# After the last kill everything that waits is written.
SETTLE = 120


class Cluster:
    """All processes, in the order in which they start."""

    def __init__(self, binary, folder, shards):
        self.binary, self.folder = binary, folder
        self.zookeeper, self.redis = Zookeeper(folder, "zookeeper"), Redis(folder, "redis")
        self.simulator = Simulator(binary, folder, "simulator")
        self.nodes = [Clickhouse(folder, f"{shard}{replica}", shard, self.zookeeper)
                      for shard in "ab"[:shards] for replica in (1, 2)]
        for node in self.nodes:
            node.configure(self.nodes)
        self.collectors = [Collector(binary, folder, f"collector-{i}", self.store(i), self.simulator)
                           for i in (1, 2)]
        self.servers = [Server(binary, folder, f"server-{i}", self.store(i), self.redis)
                        for i in (1, 2)]
        self.victims = [*self.nodes, self.zookeeper, self.redis, *self.collectors, *self.servers]
        self.all = [self.simulator, *self.victims]
        # One of each kind.
        self.few = [self.nodes[0], self.zookeeper, self.redis, self.collectors[0], self.servers[0]]

    def store(self, first=0):
        """The address of the store, each process with the nodes in another order."""
        order = self.nodes[first:] + self.nodes[:first]
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in order)
        return f"clickhouse://{USER}:{PASSWORD}@{hosts}/{DATABASE}"

    def start(self):
        """Everything, each after what it needs."""
        for group in ([self.zookeeper, self.redis, self.simulator], self.nodes):
            for process in group:
                process.start()
            for process in group:
                process.wait()
        for _ in range(3):
            code, out, err = run(self.binary, "clickhouse", "init", "--cluster", CLUSTER, "--store",
                                 self.store())
            for node in self.nodes:
                node.wait()
            if code == 0:
                break
        if code != 0:
            raise Failure(f"oi clickhouse init: {out}{err}")
        for process in [*self.collectors, *self.servers]:
            process.start()
        for process in [*self.collectors, *self.servers]:
            process.wait()

    def end(self):
        """Every process of ours, by its own number."""
        for process in reversed(self.all):
            process.kill()

    def is_calm(self):
        """Do both servers say that all is well?"""
        for process in self.all:
            process.mind()
        return all(ask(server.port, "/readyz") == (200, "ready\n") for server in self.servers)


def first_whole(cluster, truth):
    """A minute that both servers have wholly: the one in which collectors began may lack what came before."""
    known = set.intersection(*(server.newest() for server in cluster.servers))
    for minute, figures in sorted(truth.minutes.items()):
        if known.issuperset((market, minute_text(minute)) for market in figures):
            return minute
    return None


def next_moment(choice):
    """Half of the kills come while a minute is being written, in its first seconds."""
    if choice.random() < 0.5:
        time.sleep(60 - time.time() % 60 + choice.uniform(0, 4))
    else:
        time.sleep(choice.uniform(1, 8))


def torment(cluster, load, choice, options):
    """Kill each in turn, leave it dead for a while, start it again."""
    victims = cluster.few if options.short else cluster.victims
    for _ in range(options.rounds):
        for victim in choice.sample(victims, len(victims)):
            if not options.short:
                next_moment(choice)
            before, down = dict(load.statuses), choice.uniform(0.5, 1.5 if options.short else 12)
            at = time.time()
            victim.kill()
            time.sleep(down)
            victim.start()
            victim.wait()
            until(cluster.is_calm, f"the cluster is not well after the death of {victim.name}")
            told = {status: count - before.get(status, 0) for status, count in load.statuses.items()}
            print(f"  {victim.name} died at :{at % 60:04.1f}, was away {down:.1f} s, all well "
                  f"{time.time() - at:.1f} s later; answers meanwhile: "
                  + ", ".join(f"{count} x {status}" for status, count in told.items() if count), flush=True)


class Verdicts:
    """Counts, and prints what failed."""

    def __init__(self):
        self.passed = self.failed = 0

    def add(self, name, faults):
        """`faults` are sentences; none is good."""
        self.failed += bool(faults)
        self.passed += not faults
        print(f"{'FAILED' if faults else 'passed'}: {name}", flush=True)
        for fault in faults[:8]:
            print(f"    {fault}")
        if len(faults) > 8:
            print(f"    and {len(faults) - 8} more")


def read_patiently(binary, node, start):
    """A node that cannot do it just now may need a moment more to find its ZooKeeper again."""
    for _ in range(10):
        rows, why = checks.rows_of_node(binary, node, start)
        if rows is not None or "just now" not in why:
            break
        print(f"  {node.name} is asked again: {why.strip().splitlines()[-1]}", flush=True)
        time.sleep(1)
    return rows, why


def judge(cluster, load, truth, verdicts):
    """Everything that must hold at the end."""
    minutes = sorted(truth.minutes)
    start, markets = minute_text(minutes[0]), sorted(truth.minutes[minutes[0]])
    print(f"{len(minutes)} minutes of {len(markets)} markets; {sum(load.granted.values())} calls let in; "
          f"answers: {load.statuses}; slowest {load.slowest:.2f} s")
    for status, sample in load.samples.items():
        print(f"  {status}, for one: {sample.strip()}")
    print("could not start at once: "
          + (", ".join(f"{p.name} {len(p.refusals)} times" for p in cluster.all if p.refusals) or "nobody"))
    print("ClickHouse ended by itself: "
          + (", ".join(f"{node.name} {node.falls}" for node in cluster.nodes if node.falls) or "never"))

    def settled():
        rows, _ = checks.rows_of_node(cluster.binary, cluster.nodes[0], start)
        return rows is not None and not checks.compare(rows, truth, minutes)
    try:
        until(settled, "rows are missing", SETTLE)
    except Failure:
        pass  # told below
    for node in cluster.nodes:
        rows, why = read_patiently(cluster.binary, node, start)
        verdicts.add(f"every row once and true, read through {node.name}",
                     [why] if rows is None else checks.compare(rows, truth, minutes))
    for server, key in zip(cluster.servers, KEYS[-2:]):
        rows, why = checks.rows_of_server(server, key, start)
        verdicts.add(f"every row once and true, answered by {server.name}",
                     [why] if rows is None else checks.compare(rows, truth, minutes))
    verdicts.add("ClickHouse's own count of rows and keys", checks.faults_of_cluster(cluster.nodes))
    code, out, err = run(cluster.binary, "verify", "--store", cluster.store())
    verdicts.add("oi verify", [] if code == 0 else (out + err).splitlines())
    deaths = cluster.redis.deaths + sum(server.deaths for server in cluster.servers)
    verdicts.add("every quota within its blocks", checks.faults_of_quotas(load, deaths))
    verdicts.add("nobody of ours ended by himself", [
        f"{process.name} ended with {process.falls}" for process in cluster.all
        if process.falls and not process.may_fall])
    verdicts.add("no answer wrong", load.wrong)
    verdicts.add("every error under a second", load.slow)


def play(options, verdicts, folder):
    """One whole run."""
    choice = random.Random(options.seed)
    cluster = Cluster(options.binary, folder, options.shards)
    try:
        began = time.time()
        cluster.start()
        print(f"{len(cluster.all)} processes after {time.time() - began:.0f} s", flush=True)
        truth = Truth(cluster.simulator)
        truth.start()
        until(lambda: truth.minutes, "no minute of the exchanges", 70)
        first = until(lambda: first_whole(cluster, truth), "no minute is whole", 150)
        for minute in [minute for minute in truth.minutes if minute < first]:
            del truth.minutes[minute]
        load = Load(cluster.servers, truth, options.seed)
        load.start()
        torment(cluster, load, choice, options)
        print("  megabytes: " + ", ".join(f"{process.name} {memory_of(process)}" for process in cluster.all))
        if not options.short:
            time.sleep(62 - time.time() % 60)  # one more minute, with everybody there
        load.stop()
        truth.stopping.set()
        truth.join()
        judge(cluster, load, truth, verdicts)
    finally:
        cluster.end()


def main():
    """Parse, play, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binary", type=lambda text: str(pathlib.Path(text).resolve()))
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--rounds", type=int, default=1, help="how often each process is killed")
    parser.add_argument("--shards", type=int, default=2, choices=(1, 2))
    parser.add_argument("--short", action="store_true",
                        help="one shard, one of each kind, no minute waited for")
    options = parser.parse_args()
    if options.short:
        options.shards = options.rounds = 1
    if why := missing():
        print(f"the cluster test is skipped: {why}")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # ends the processes, too
    print(f"seed {options.seed}", flush=True)
    folder, verdicts = tempfile.mkdtemp(prefix="oi-cluster-"), Verdicts()
    try:
        play(options, verdicts, folder)
    except (Failure, OSError, subprocess.TimeoutExpired) as failure:
        verdicts.add("the run", [str(failure)])
    if verdicts.failed:
        print(f"the folder is kept: {folder}")
    else:
        shutil.rmtree(folder)
    print(f"{verdicts.passed} passed, {verdicts.failed} failed")
    return 1 if verdicts.failed else 0


if __name__ == "__main__":
    sys.exit(main())
