// SPDX-License-Identifier: Apache-2.0
// Live rows of one market over a WebSocket, dialled again after a loss, later each time.

import { streamAddress } from './api.js';

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30000;

// One that is still being opened is left to open first: closing it then is an error in the console.
function leave(socket) {
    if (socket?.readyState === WebSocket.CONNECTING) socket.addEventListener('open', () => socket.close());
    else socket?.close();
}

export class Stream {
    // onRow(row), onState("off" | "connecting" | "live" | "lost")
    constructor(onRow, onState) {
        this.onRow = onRow;
        this.onState = onState;
        this.market = '';
        this.socket = null;
        this.timer = 0;
        this.wait = FIRST_WAIT_MS;
        // A laptop that wakes up should not wait for the timer.
        addEventListener('online', () => this.hurry());
        document.addEventListener('visibilitychange', () => {
            if (!document.hidden) this.hurry();
        });
    }

    hurry() {
        if (this.market && !this.socket) {
            this.wait = FIRST_WAIT_MS;
            this.dial();
        }
    }

    follow(market) {
        if (market === this.market) return;
        this.market = market;
        this.wait = FIRST_WAIT_MS;
        clearTimeout(this.timer);
        leave(this.socket);
        this.socket = null;
        if (market) this.dial();
        else this.onState('off');
    }

    dial() {
        clearTimeout(this.timer);
        this.onState('connecting');
        const socket = new WebSocket(streamAddress(this.market));
        this.socket = socket;
        socket.addEventListener('open', () => {
            if (socket !== this.socket) return;
            this.wait = FIRST_WAIT_MS;
            this.onState('live');
        });
        socket.addEventListener('message', (event) => {
            if (socket !== this.socket) return;
            let row = null;
            try {
                row = JSON.parse(event.data);
            } catch {
                return;
            }
            this.onRow(row);
        });
        socket.addEventListener('close', () => {
            if (socket !== this.socket) return;
            this.socket = null;
            this.onState('lost');
            this.timer = setTimeout(() => this.dial(), this.wait * (0.75 + Math.random() / 2));
            this.wait = Math.min(this.wait * 2, LONGEST_WAIT_MS);
        });
    }
}
