#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a program in a pseudo-terminal, for tests: terminal.py LINES COLUMNS PROGRAM ARGUMENT ...

Reads one JSON object a line: {"send": "text"}, {"resize": [LINES, COLUMNS]}, {"signal": "SIGINT"}.
Writes one a line: {"out": "text"} as it comes, and {"exit": status or -signal, "restored": whether
the terminal's modes are those of before} in the end.
"""

import codecs
import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios


def resize(terminal, lines, columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack('HHHH', lines, columns, 0, 0))


def say(**words):
    sys.stdout.write(json.dumps(words) + '\n')
    sys.stdout.flush()


def obey(line, terminal, child):
    order = json.loads(line)
    if 'send' in order:
        os.write(terminal, order['send'].encode())
    if 'resize' in order:
        resize(terminal, *order['resize'])
    if 'signal' in order:
        os.kill(child, getattr(signal, order['signal']))


def start(arguments, terminal_side):
    child = os.fork()
    if child == 0:
        os.setsid()
        fcntl.ioctl(terminal_side, termios.TIOCSCTTY, 0)
        for descriptor in range(3):
            os.dup2(terminal_side, descriptor)
        os.closerange(3, 256)
        os.execvp(arguments[0], arguments)
    return child


def main():
    terminal, terminal_side = pty.openpty()
    resize(terminal, int(sys.argv[1]), int(sys.argv[2]))
    before = termios.tcgetattr(terminal_side)
    child = start(sys.argv[3:], terminal_side)
    decoder = codecs.getincrementaldecoder('utf-8')('replace')
    waiting, orders, status = b'', [terminal, 0], None
    while True:
        ready = select.select(orders, [], [], 0.02)[0]
        if terminal in ready:
            say(out=decoder.decode(os.read(terminal, 65536)))
        if 0 in ready:
            read = os.read(0, 65536)
            if not read:
                orders.remove(0)
            waiting += read
            *lines, waiting = waiting.split(b'\n')
            for line in lines:
                obey(line, terminal, child)
        if not ready and status is not None:
            break
        if status is None:
            ended, state = os.waitpid(child, os.WNOHANG)
            if ended:
                status = os.waitstatus_to_exitcode(state)
    say(exit=status, restored=termios.tcgetattr(terminal_side) == before)


main()
